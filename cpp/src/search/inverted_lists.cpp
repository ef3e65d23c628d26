#include "search/inverted_lists.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "search/product_search.hpp"
#include "unitvec/search/kmeans.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kLeastPerList = 39;  // vectors that a centroid is learnt from, as in FAISS
constexpr std::size_t kMostPerList = 64;   // more make no better centroids
constexpr std::size_t kIterations = 10;
constexpr std::size_t kAtOnce = 8192;  // rows between two looks at the interrupt
constexpr std::size_t kTile = 256;     // rows compared by one call of a kernel
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

InvertedLists::InvertedLists(const VectorStore& store)
    : store_(store), centroids_(store.dim(), probed_by(store.metric())) {}

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
    set_centroids(learnt.centroids);
    trained_rows_ = std::max(store_.rows(), vectors.rows);
    std::vector<std::size_t> sizes(lists, 0);
    for (const auto label : learnt.labels) ++sizes[static_cast<std::size_t>(label)];
    trained_imbalance_ = imbalance_of(sizes);
}

void InvertedLists::train(std::size_t lists, const RunOptions& run) {
    train(sampled(store_, lists * kMostPerList).view(), lists, run);
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
}

void InvertedLists::put(std::uint32_t row, std::int32_t list) {
    lists_[static_cast<std::size_t>(list)].push_back(row);
    list_of_row_.push_back(list);
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
        const auto found =
            exact_search(nearest, store_.numbers(first, count, room.data()), 1, all, run);
        for (std::size_t i = 0; i < count; ++i) {
            put(static_cast<std::uint32_t>(first + i),
                static_cast<std::int32_t>(found[i].front().row));
        }
    }
}

void InvertedLists::truncate(std::size_t rows) {
    while (list_of_row_.size() > rows) {
        lists_[static_cast<std::size_t>(list_of_row_.back())].pop_back();  // rows ascend in a list
        list_of_row_.pop_back();
    }
}

void InvertedLists::keep(std::span<const std::uint32_t> rows) {
    const auto before = std::move(list_of_row_);
    forget_rows();
    for (std::uint32_t i = 0; i < rows.size() && rows[i] < before.size(); ++i) {
        put(i, before[rows[i]]);
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

std::vector<Neighbour> InvertedLists::search(const float* query, std::size_t k, std::size_t nprobe,
                                             const RowFilter& filter) const {
    const RowFilter all(all_lists_, all_lists_.size());
    TopK best(k);
    std::array<std::uint32_t, kTile> rows;
    std::array<float, kTile> nearness;
    std::size_t filled = 0;
    const auto compare = [&] {
        store_.compare(query, rows.data(), 0, filled, nearness.data());
        for (std::size_t i = 0; i < filled; ++i) {
            if (nearness[i] >= best.threshold()) best.offer({nearness[i], rows[i]});
        }
        filled = 0;
    };
    for (const auto& probe : scan_one(centroids_, query, nprobe, all)) {
        for (const auto row : lists_[probe.row]) {
            if (!filter.takes_all() && !filter(row)) continue;
            rows[filled++] = row;
            if (filled == kTile) compare();
        }
    }
    compare();
    return best.take_sorted();
}

std::size_t InvertedLists::bytes() const {
    std::size_t bytes = centroids_.bytes() + list_of_row_.capacity() * sizeof(std::int32_t);
    for (const auto& list : lists_) bytes += sizeof(list) + list.capacity() * sizeof(std::uint32_t);
    return bytes;
}

InvertedLists::Parts InvertedLists::parts() const {
    return {centroids_.numbers(0, centroids_.rows(), nullptr), list_of_row_};
}

std::string InvertedLists::restore(const Parts& parts) {
    if (parts.list_of_row.size() != store_.rows()) return "expected one list for each row";
    const auto count = static_cast<std::int64_t>(parts.centroids.rows);
    for (const auto list : parts.list_of_row) {
        if (list < 0 || list >= count) {
            return "expected lists from 0 to " + std::to_string(count - 1) + ", got " +
                   std::to_string(list);
        }
    }
    centroids_.truncate(0);
    centroids_.append(parts.centroids);
    forget_rows();
    for (std::size_t row = 0; row < parts.list_of_row.size(); ++row) {
        put(static_cast<std::uint32_t>(row), parts.list_of_row[row]);
    }
    trained_rows_ = store_.rows();
    trained_imbalance_ = imbalance();
    return {};
}

}  // namespace unitvec
