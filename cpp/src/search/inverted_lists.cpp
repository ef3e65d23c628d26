#include "search/inverted_lists.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "search/coded_query.hpp"
#include "unitvec/parallel.hpp"
#include "unitvec/search/kmeans.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kLeastPerList = 39;  // vectors that a centroid is learnt from, as in FAISS
constexpr std::size_t kMostPerList = 64;   // more make no better centroids
constexpr std::size_t kIterations = 10;
constexpr std::size_t kAtOnce = 8192;  // rows between two looks at the interrupt
constexpr std::size_t kGrain = 256;    // rows that a thread codes at a time
constexpr std::size_t kGrowth = 4;
constexpr double kMoreUneven = 2.0;
constexpr std::size_t kTelling = 16;  // vectors a list, on average, from which its size says much

/// Centroids are compared as the index's vectors are, so that the lists nearest to a query are
/// those whose vectors may be; a vector belongs to the list that is nearest in space.
Metric probed_by(Metric metric) {
    return metric == Metric::euclidean ? Metric::euclidean : Metric::dot;
}

bool is_spherical(Metric metric) {
    return metric == Metric::cosine;
}

/// Rows at equal distances, at most `count`, as numbers.
Matrix sampled(const VectorStore& store, std::size_t count) {
    count = std::min(count, store.rows());
    Matrix sample(count, store.dim());
    for (std::size_t i = 0; i < count; ++i) {
        store.widen(i * store.rows() / count, sample.row(i).data());
    }
    return sample;
}

/// Of some of these vectors, at equal distances, the differences from their centroids.
Matrix residuals_of(MatrixView<const float> vectors, const KMeansResult& clusters) {
    const std::size_t count = std::min(ProductQuantizer::kSample, vectors.rows);
    Matrix residuals(count, vectors.cols);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t row = i * vectors.rows / count;
        const auto label = static_cast<std::size_t>(clusters.labels[row]);
        std::ranges::transform(vectors.row(row), clusters.centroids.row(label),
                               residuals.row(i).begin(), std::minus<>());
    }
    return residuals;
}

/// Expected size of the list that a vector is in, to the mean size.
double imbalance_of(const std::vector<std::size_t>& sizes) {
    double sum = 0.0, squares = 0.0;
    for (const auto size : sizes) {
        sum += static_cast<double>(size);
        squares += static_cast<double>(size) * static_cast<double>(size);
    }
    return sum == 0.0 ? 1.0 : squares * static_cast<double>(sizes.size()) / (sum * sum);
}

}  // namespace

InvertedLists::InvertedLists(const VectorStore& store, ListCoding coding, std::size_t pq_m)
    : store_(store), centroids_(store.dim(), probed_by(store.metric())) {
    if (coding == ListCoding::product) codes_.emplace(store.dim(), store.metric(), pq_m);
    if (coding == ListCoding::eight_bit && wants_codes(store)) {
        eight_bit_.emplace(store.dim(), store.metric());
    }
}

std::size_t InvertedLists::usual_count(std::size_t n) {
    const auto lists = static_cast<std::size_t>(4.0 * std::sqrt(static_cast<double>(n)));
    return std::max<std::size_t>(1, std::min(lists, n / kLeastPerList));
}

void InvertedLists::train(MatrixView<const float> vectors, std::size_t lists,
                          const RunOptions& run) {
    KMeansOptions options;
    options.k = lists;
    options.iterations = kIterations;
    options.spherical = is_spherical(store_.metric());
    options.plus_plus = false;  // lists of like lengths matter more than centroids far apart
    options.threads = run.threads;
    options.interrupted = run.interrupted;
    const auto learnt = kmeans(vectors, options);
    if (codes_) codes_->train(residuals_of(vectors, learnt).view(), run);
    set_centroids(learnt.centroids);
    trained_rows_ = std::max(store_.rows(), vectors.rows);
    std::vector<std::size_t> sizes(lists, 0);
    for (const auto label : learnt.labels) ++sizes[static_cast<std::size_t>(label)];
    trained_imbalance_ = imbalance_of(sizes);
}

void InvertedLists::train(std::size_t lists, const RunOptions& run) {
    const std::size_t least = codes_ ? ProductQuantizer::kSample : 0;
    train(sampled(store_, std::max(lists * kMostPerList, least)).view(), lists, run);
    trained_rows_ = store_.rows();
}

void InvertedLists::set_centroids(const Matrix& centroids) {
    centroids_.truncate(0);
    centroids_.append(centroids.view());
    forget_rows();
}

void InvertedLists::forget_rows() {
    lists_.assign(centroids_.rows(), {});
    all_lists_.assign(centroids_.rows(), 0);
    list_of_row_.clear();
    if (codes_) codes_->clear(centroids_.rows());
    if (eight_bit_) eight_bit_->clear(centroids_.rows());
}

/// @param code  ignored where none are product-quantised
void InvertedLists::put(std::uint32_t row, std::int32_t list, const std::uint8_t* code) {
    const auto at = static_cast<std::size_t>(list);
    lists_[at].push_back(row);
    list_of_row_.push_back(list);
    if (codes_) codes_->append(at, centroid(list), code);
    if (!eight_bit_) return;
    std::vector<float> room(store_.dim());
    eight_bit_->append(at, store_.numbers(row, 1, room.data()).row(0));
}

std::span<const float> InvertedLists::centroid(std::int32_t list) const {
    return centroids_.numbers(static_cast<std::size_t>(list), 1, nullptr).row(0);
}

/// The codes of vectors, each in the list of its nearest centroid: shape (n, pq_m).
std::vector<std::uint8_t> InvertedLists::encoded(MatrixView<const float> vectors,
                                                 const Neighbours& nearest,
                                                 const RunOptions& run) const {
    std::vector<std::uint8_t> codes(vectors.rows * code_size());
    if (!codes_) return codes;
    parallel_for(vectors.rows, kGrain, run.threads, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const auto list = static_cast<std::int32_t>(nearest[i].front().row);
            codes_->encode(vectors.row(i), centroid(list), codes.data() + i * code_size());
        }
    });
    return codes;
}

void InvertedLists::assign_stored(const RunOptions& run) {
    // Only under Metric::dot are lists probed by another measure than vectors are assigned by.
    const bool other = store_.metric() == Metric::dot;
    VectorStore by_distance(store_.dim(), Metric::euclidean);
    if (other) by_distance.append_rows(centroids_.encoded());
    const VectorStore& nearest = other ? by_distance : centroids_;
    const RowFilter all(all_lists_, all_lists_.size());
    Matrix room(std::min(kAtOnce, store_.rows() - rows()), store_.dim());
    while (rows() < store_.rows()) {
        const std::size_t first = rows();
        const std::size_t count = std::min(kAtOnce, store_.rows() - first);
        const auto vectors = store_.numbers(first, count, room.data());
        const auto found = exact_search(nearest, vectors, 1, all, run);
        const auto codes = encoded(vectors, found, run);
        for (std::size_t i = 0; i < count; ++i) {
            put(static_cast<std::uint32_t>(first + i),
                static_cast<std::int32_t>(found[i].front().row), codes.data() + i * code_size());
        }
    }
}

void InvertedLists::truncate(std::size_t rows) {
    while (list_of_row_.size() > rows) {
        const auto list = static_cast<std::size_t>(list_of_row_.back());
        lists_[list].pop_back();  // rows ascend in a list
        list_of_row_.pop_back();
        if (codes_) codes_->pop_back(list);
        if (eight_bit_) eight_bit_->pop_back(list);
    }
}

void InvertedLists::keep(std::span<const std::uint32_t> rows) {
    const auto codes = this->codes();
    const auto before = std::move(list_of_row_);
    forget_rows();
    for (std::uint32_t i = 0; i < rows.size() && rows[i] < before.size(); ++i) {
        put(i, before[rows[i]], codes.data() + rows[i] * code_size());
    }
}

bool InvertedLists::have_drifted() const {
    const bool telling = rows() >= kTelling * lists_.size();
    return store_.rows() > kGrowth * trained_rows_ ||
           (telling && imbalance() > kMoreUneven * trained_imbalance_);
}

double InvertedLists::imbalance() const {
    std::vector<std::size_t> sizes;
    std::ranges::transform(lists_, std::back_inserter(sizes), &std::vector<std::uint32_t>::size);
    return imbalance_of(sizes);
}

std::size_t InvertedLists::code_bytes() const {
    return (codes_ ? codes_->bytes() : 0) + (eight_bit_ ? eight_bit_->bytes() : 0);
}

std::size_t InvertedLists::bytes() const {
    std::size_t bytes =
        centroids_.bytes() + code_bytes() + list_of_row_.capacity() * sizeof(std::int32_t);
    for (const auto& list : lists_) bytes += sizeof(list) + list.capacity() * sizeof(std::uint32_t);
    return bytes;
}

InvertedLists::Parts InvertedLists::parts() const {
    const auto code_centroids = codes_ ? codes_->quantizer().centroids() : std::span<const float>{};
    return {centroids_.numbers(0, centroids_.rows(), nullptr), list_of_row_, code_centroids};
}

std::vector<std::uint8_t> InvertedLists::codes() const {
    const std::size_t size = code_size();
    std::vector<std::uint8_t> codes(rows() * size);
    for (std::size_t list = 0; codes_ && list < lists_.size(); ++list) {
        for (std::size_t i = 0; i < lists_[list].size(); ++i) {
            std::copy_n(codes_->code(list, i), size, codes.data() + lists_[list][i] * size);
        }
    }
    return codes;
}

std::string InvertedLists::restore(const Parts& parts, std::span<const std::uint8_t> codes) {
    const std::size_t rows = parts.list_of_row.size();
    if (rows != store_.rows()) return "expected one list for each row";
    if (codes.size() != rows * code_size()) return "expected a code for each row";
    const auto count = static_cast<std::int64_t>(parts.centroids.rows);
    for (const auto list : parts.list_of_row) {
        if (list < 0 || list >= count) {
            return "expected lists from 0 to " + std::to_string(count - 1) + ", got " +
                   std::to_string(list);
        }
    }
    centroids_.truncate(0);
    centroids_.append(parts.centroids);
    if (codes_) codes_->restore(parts.code_centroids);
    forget_rows();
    for (std::size_t row = 0; row < rows; ++row) {
        put(static_cast<std::uint32_t>(row), parts.list_of_row[row],
            codes.data() + row * code_size());
    }
    trained_rows_ = store_.rows();
    trained_imbalance_ = imbalance();
    return {};
}

}  // namespace unitvec
