#include <algorithm>
#include <array>

#include "search/coded_query.hpp"
#include "search/inverted_lists.hpp"
#include "search/product_search.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kTile = 256;  // rows compared by one call of a kernel

/// Rows gathered and compared a tile at a time, of which the best are kept.
class Comparison {
public:
    Comparison(const VectorStore& store, const float* query, std::size_t k)
        : store_(store), query_(query), best_(k) {}

    void add(std::uint32_t row) {
        rows_[filled_++] = row;
        if (filled_ == kTile) compare();
    }
    [[nodiscard]] std::vector<Neighbour> take_best() {
        compare();
        return best_.take_sorted();
    }

private:
    void compare() {
        store_.compare(query_, rows_.data(), 0, filled_, nearness_.data());
        for (std::size_t i = 0; i < filled_; ++i) {
            if (nearness_[i] >= best_.threshold()) best_.offer({nearness_[i], rows_[i]});
        }
        filled_ = 0;
    }

    const VectorStore& store_;
    const float* query_;
    TopK best_;
    std::array<std::uint32_t, kTile> rows_;
    std::array<float, kTile> nearness_;
    std::size_t filled_ = 0;
};

}  // namespace

/// Measured with codes of one byte for 8 numbers, on sentences of SciFact under all-MiniLM-L6-v2:
/// of the 10 nearest, 0.996 are among the 100 best by code, 0.999 among 200. Who looks through more
/// lists wants to miss less, and has more candidates to tell apart.
std::size_t InvertedLists::candidates(std::size_t k, std::size_t nprobe) {
    return 4 * k + 2 * nprobe + 50;
}

std::vector<Neighbour> InvertedLists::search(const float* query, std::size_t k, std::size_t nprobe,
                                             const RowFilter& filter) const {
    const RowFilter all(all_lists_, all_lists_.size());
    const auto probes = scan_one(centroids_, query, nprobe, all);
    if (codes_) return nearest_of(store_, query, k, near_by_product(query, k, probes, filter));
    if (eight_bit_) return nearest_of(store_, query, k, near_by_code(query, k, probes, filter));
    return nearest_by_vector(query, k, probes, filter);
}

/// Those which may be among the k nearest.
std::vector<Neighbour> InvertedLists::near_by_product(const float* query, std::size_t k,
                                                      const Probes& probes,
                                                      const RowFilter& filter) const {
    const Matrix table = codes_->table(query);
    TopK best(candidates(k, probes.size()));
    for (const auto& probe : probes) {
        codes_->scan(table, probe.row, probe.nearness, lists_[probe.row], filter, best);
    }
    return best.unsorted();
}

/// Those among which the k nearest are.
std::vector<Neighbour> InvertedLists::near_by_code(const float* query, std::size_t k,
                                                   const Probes& probes,
                                                   const RowFilter& filter) const {
    const CodedQuery coded(store_, query, eight_bit_->largest_error());
    WithinError near(k, store_.metric(), coded.error());
    std::array<float, kTile> nearness;
    for (const auto& probe : probes) {
        const auto& rows = lists_[probe.row];
        const auto& codes = eight_bit_->list(probe.row);
        for (std::size_t first = 0; first < rows.size(); first += kTile) {
            const std::size_t count = std::min(kTile, rows.size() - first);
            codes.compare_codes(coded.code(), nullptr, first, count, nearness.data());
            for (std::size_t i = 0; i < count; ++i) {
                const Neighbour here{nearness[i], rows[first + i]};
                if (here.nearness < near.least()) continue;
                if (filter.takes_all() || filter(here.row)) near.offer(here);
            }
        }
    }
    return near.take();
}

std::vector<Neighbour> InvertedLists::nearest_by_vector(const float* query, std::size_t k,
                                                        const Probes& probes,
                                                        const RowFilter& filter) const {
    Comparison comparison(store_, query, k);
    for (const auto& probe : probes) {
        for (const auto row : lists_[probe.row]) {
            if (filter.takes_all() || filter(row)) comparison.add(row);
        }
    }
    return comparison.take_best();
}

}  // namespace unitvec
