#include "search/product_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "search/gemm.hpp"
#include "unitvec/parallel.hpp"
#include "vector_length.hpp"

namespace unitvec {
namespace {

// A tile of 512 rows of 384 floats is 0.8 MB, read from the cache by all queries of a block; the
// block's products with it (at most 256 x 512 floats) fit beside it. BLAS packs a tile once for
// each block: with 128 queries that took a fifth as long as the products.
constexpr std::size_t kTileRows = 512;
constexpr std::size_t kBlockQueries = 256;
constexpr std::size_t kBlocksAtOnce = 8;  // between two looks at the interrupt
constexpr std::size_t kSpare = 8;         // candidates beyond k

/// One thread's work on a block of queries.
class Block {
public:
    Block(const VectorStore& store, MatrixView<const float> queries, std::size_t k,
          const RowFilter& filter)
        : store_(store), queries_(queries), k_(k), filter_(filter),
          products_(queries.rows, std::min(kTileRows, store.rows())),
          widened_(store.type() == VectorType::float32 ? 0 : products_.cols(), store.dim()),
          reached_(products_.cols()),
          candidates_(queries.rows, TopK(std::min(k + kSpare, filter.eligible()))) {
        for (std::size_t q = 0; q < queries.rows; ++q) {
            squared_lengths_.push_back(static_cast<float>(squared_length(queries.row(q))));
        }
    }

    void nominate() {
        for (std::size_t first = 0; first < store_.rows(); first += kTileRows) {
            const std::size_t count = std::min(kTileRows, store_.rows() - first);
            multiply_transposed(queries_, store_.numbers(first, count, widened_.data()),
                                products_.data(), products_.cols());
            for (std::size_t q = 0; q < queries_.rows; ++q) keep_best(q, first, count);
        }
    }

    /// The exact k best of query q.
    [[nodiscard]] std::vector<Neighbour> decide(std::size_t q) const {
        const float* query = queries_.row(q).data();
        auto best = nearest_of(store_, query, k_, candidates_[q].unsorted());
        const bool all_seen = candidates_[q].size() == filter_.eligible();
        const double best_unseen = candidates_[q].threshold() + largest_error(q);
        if (all_seen || (best.size() == k_ && best.back().nearness > best_unseen)) return best;
        return scan_one(store_, query, k_, filter_);
    }

private:
    /// Turns the products of query q with a tile into nearness and offers what may be kept.
    void keep_best(std::size_t q, std::size_t first, std::size_t count) {
        float* nearness = products_.row(q).data();
        if (store_.metric() == Metric::euclidean) {
            const float* lengths = store_.squared_lengths().data() + first;
            for (std::size_t i = 0; i < count; ++i) {
                nearness[i] = 2.0F * nearness[i] - lengths[i] - squared_lengths_[q];
            }
        }
        const std::size_t reached =
            at_least_(nearness, count, candidates_[q].threshold(), reached_.data());
        for (std::size_t i = 0; i < reached; ++i) {
            const auto row = static_cast<std::uint32_t>(first + reached_[i]);
            const float here = nearness[reached_[i]];
            if (here >= candidates_[q].threshold() && filter_(row)) {
                candidates_[q].offer({here, row});
            }
        }
    }

    /// Bound on |nearness by product - nearness by kernel|. A dot product of dim terms in any order
    /// errs by at most dim * u * |x| |q| (N. Higham, "Accuracy and Stability of Numerical
    /// Algorithms", 3.1; u = 2^-24), here for both ways; 2 |x| |q| <= |x|^2 + |q|^2 covers
    /// the Euclidean.
    [[nodiscard]] double largest_error(std::size_t q) const {
        const double unit = 0x1p-24 * static_cast<double>(store_.dim() + 16);
        const double x = store_.largest_squared_length();
        if (store_.metric() == Metric::euclidean) return 2.0 * unit * (x + squared_lengths_[q]);
        return 2.0 * unit * std::sqrt(x * squared_lengths_[q]);
    }

    const VectorStore& store_;
    MatrixView<const float> queries_;
    std::size_t k_;
    const RowFilter& filter_;
    Matrix products_;  // (queries, rows of a tile)
    Matrix widened_;   // (rows of a tile, dim), where they are not float32 already
    std::vector<std::uint32_t> reached_;  // positions in a tile
    decltype(kernels::DistanceKernels::at_least) at_least_ = kernels::distance_kernels().at_least;
    std::vector<TopK> candidates_;
    std::vector<float> squared_lengths_;
};

}  // namespace

Neighbours product_search(const VectorStore& store, MatrixView<const float> queries, std::size_t k,
                          const RowFilter& filter, const RunOptions& run) {
    const std::size_t threads = run.threads == 0 ? default_threads() : run.threads;
    const std::size_t share = (queries.rows + threads - 1) / threads;
    const std::size_t block = std::clamp<std::size_t>(share, 1, kBlockQueries);
    const std::size_t at_once = block * kBlocksAtOnce;
    Neighbours found(queries.rows);
    for (std::size_t first = 0; first < queries.rows; first += at_once) {
        run.check();
        const std::size_t count = std::min(at_once, queries.rows - first);
        parallel_for(count, block, threads, [&](std::size_t begin, std::size_t end) {
            Block work(store, queries.middle_rows(first + begin, end - begin), k, filter);
            work.nominate();
            for (std::size_t q = begin; q < end; ++q) found[first + q] = work.decide(q - begin);
        });
    }
    return found;
}

}  // namespace unitvec
