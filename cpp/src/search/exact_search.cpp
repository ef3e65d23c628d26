#include "search/exact_search.hpp"

#include <algorithm>
#include <array>
#include <mutex>

#include "search/product_search.hpp"
#include "unitvec/error.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kTile = 256;        // rows compared by one call of a kernel
constexpr std::size_t kProductBatch = 4;  // queries from which a matrix product pays
constexpr std::size_t kBlock = 16;        // queries compared with a tile while it is cached
constexpr std::size_t kBlocksAtOnce = 4;  // between two looks at the interrupt
constexpr std::size_t kShare = 1 << 20;   // floats that one thread scans at a time: 4 MB

/// Calls visit(nearness, row) for the eligible rows among positions [begin, end): of `listed` where
/// there is a list, of the store otherwise.
template <typename Visit>
void scan(const VectorStore& store, const float* query, const RowFilter& filter,
          const std::vector<std::uint32_t>* listed, std::size_t begin, std::size_t end,
          const Visit& visit) {
    std::array<float, kTile> nearness;
    for (std::size_t first = begin; first < end; first += kTile) {
        const std::size_t count = std::min(kTile, end - first);
        const std::uint32_t* rows = listed == nullptr ? nullptr : listed->data() + first;
        store.compare(query, rows, listed == nullptr ? first : 0, count, nearness.data());
        for (std::size_t i = 0; i < count; ++i) {
            const auto row = rows == nullptr ? static_cast<std::uint32_t>(first + i) : rows[i];
            if (rows != nullptr || filter.takes_all() || filter(row)) visit(nearness[i], row);
        }
    }
}

/// A list of the eligible rows where it saves comparisons: reading them in order beats skipping
/// only when many are left out.
std::vector<std::uint32_t> worthwhile_list(const VectorStore& store, const RowFilter& filter) {
    return filter.eligible() < store.rows() / 2 ? filter.rows() : std::vector<std::uint32_t>{};
}

/// Few queries: one at a time, each spread over the threads by rows: memory is read once per query.
Neighbours scan_search(const VectorStore& store, MatrixView<const float> queries, std::size_t k,
                       const RowFilter& filter, const RunOptions& run) {
    const auto list = worthwhile_list(store, filter);
    const auto* listed = list.empty() ? nullptr : &list;
    const std::size_t n = listed == nullptr ? store.rows() : list.size();
    const std::size_t grain = std::max(kShare / store.dim(), kTile);
    Neighbours found(queries.rows);
    for (std::size_t q = 0; q < queries.rows; ++q) {
        run.check();
        TopK best(k);
        std::mutex mutex;
        parallel_for(n, grain, run.threads, [&](std::size_t begin, std::size_t end) {
            TopK part(k);
            scan(store, queries.row(q).data(), filter, listed, begin, end,
                 [&](float nearness, std::uint32_t row) {
                     if (nearness >= part.threshold()) part.offer({nearness, row});
                 });
            const std::lock_guard lock(mutex);
            best.merge(part);
        });
        found[q] = best.take_sorted();
    }
    return found;
}

/// Many queries without a product: the threads share the queries, and each compares a tile of rows
/// with all queries of its block before the next tile, so that memory is read once per block.
Neighbours block_search(const VectorStore& store, MatrixView<const float> queries, std::size_t k,
                        const RowFilter& filter, const RunOptions& run) {
    const auto list = worthwhile_list(store, filter);
    const auto* listed = list.empty() ? nullptr : &list;
    const std::size_t n = listed == nullptr ? store.rows() : list.size();
    Neighbours found(queries.rows);
    for (std::size_t base = 0; base < queries.rows; base += kBlock * kBlocksAtOnce) {
        run.check();
        const std::size_t count = std::min(kBlock * kBlocksAtOnce, queries.rows - base);
        parallel_for(count, kBlock, run.threads, [&](std::size_t begin, std::size_t end) {
            std::vector<TopK> best(end - begin, TopK(k));
            for (std::size_t first = 0; first < n; first += kTile) {
                for (std::size_t q = begin; q < end; ++q) {
                    auto& kept = best[q - begin];
                    scan(store, queries.row(base + q).data(), filter, listed, first,
                         std::min(first + kTile, n), [&](float nearness, std::uint32_t row) {
                             if (nearness >= kept.threshold()) kept.offer({nearness, row});
                         });
                }
            }
            for (std::size_t q = begin; q < end; ++q)
                found[base + q] = best[q - begin].take_sorted();
        });
    }
    return found;
}

}  // namespace

void RunOptions::check() const {
    if (interrupted && interrupted()) throw Interrupted();
}

Neighbours exact_search(const VectorStore& store, MatrixView<const float> queries, std::size_t k,
                        const RowFilter& filter, const RunOptions& run) {
    k = std::min(k, filter.eligible());
    if (k == 0) return Neighbours(queries.rows);
    const bool many = filter.eligible() >= store.rows() / 2;  // else products are mostly wasted
    if (queries.rows >= kProductBatch && many && has_products(store.metric())) {
        return product_search(store, queries, k, filter, run);
    }
    if (queries.rows >= kProductBatch) return block_search(store, queries, k, filter, run);
    return scan_search(store, queries, k, filter, run);
}

std::vector<Neighbour> nearest_of(const VectorStore& store, const float* query, std::size_t k,
                                  std::span<const Neighbour> candidates) {
    std::vector<std::uint32_t> rows(candidates.size());
    std::ranges::transform(candidates, rows.begin(), &Neighbour::row);
    std::vector<float> nearness(rows.size());
    store.compare(query, rows.data(), 0, rows.size(), nearness.data());
    TopK best(k);
    for (std::size_t i = 0; i < rows.size(); ++i) best.offer({nearness[i], rows[i]});
    return best.take_sorted();
}

std::vector<Neighbour> scan_one(const VectorStore& store, const float* query, std::size_t k,
                                const RowFilter& filter) {
    TopK best(k);
    scan(store, query, filter, nullptr, 0, store.rows(), [&](float nearness, std::uint32_t row) {
        if (nearness >= best.threshold()) best.offer({nearness, row});
    });
    return best.take_sorted();
}

Neighbours exact_range_search(const VectorStore& store, MatrixView<const float> queries,
                              float min_nearness, const RowFilter& filter, const RunOptions& run) {
    const auto list = worthwhile_list(store, filter);
    const auto* listed = list.empty() ? nullptr : &list;
    const std::size_t n = filter.eligible() == 0 ? 0
                          : listed == nullptr    ? store.rows()
                                                 : list.size();
    Neighbours found(queries.rows);
    for (std::size_t first = 0; first < queries.rows; first += kBlock) {
        run.check();
        const std::size_t count = std::min(kBlock, queries.rows - first);
        parallel_for(count, 1, run.threads, [&](std::size_t begin, std::size_t end) {
            for (std::size_t q = first + begin; q < first + end; ++q) {
                scan(store, queries.row(q).data(), filter, listed, 0, n,
                     [&](float nearness, std::uint32_t row) {
                         if (nearness >= min_nearness) found[q].push_back({nearness, row});
                     });
                std::ranges::sort(found[q], [](auto a, auto b) { return better(a, b); });
            }
        });
    }
    return found;
}

}  // namespace unitvec
