#include "search/hnsw_links.hpp"

#include <algorithm>
#include <cmath>

#include "search/growth.hpp"
#include "search/random.hpp"

namespace unitvec {

HnswLinks::HnswLinks(std::size_t M) : M_(M) {}

int HnswLinks::most_levels(std::size_t M) {
    // Those that one row in a billion reaches, as in FAISS, whose tables end there.
    const auto m = static_cast<double>(M);
    int levels = 0;
    for (double share = 1.0 - 1.0 / m; share >= 1e-9; share /= m) ++levels;
    return levels;
}

/// One row in M is on a level above the last: floor(-ln(u) / ln(M)) levels above the lowest.
int HnswLinks::drawn_levels(std::size_t row) const {
    const double u = 1.0 - Random(row).unit();  // in (0, 1]
    const auto above = static_cast<int>(-std::log(u) / std::log(static_cast<double>(M_)));
    return std::min(above + 1, most_levels(M_));
}

void HnswLinks::append_row(int levels) {
    levels_.push_back(static_cast<std::uint8_t>(levels));
    upper_at_.push_back(static_cast<std::uint32_t>(upper_.size() / M_));
    upper_.resize(upper_.size() + static_cast<std::size_t>(levels - 1) * M_, kNone);
    base_.resize(base_.size() + room(0), kNone);
}

void HnswLinks::append(std::size_t count) {
    reserve(rows() + count);
    for (std::size_t i = 0; i < count; ++i) append_row(drawn_levels(rows()));
}

void HnswLinks::reserve(std::size_t rows) {
    make_room(levels_, rows);
    make_room(upper_at_, rows);
    make_room(base_, rows * room(0));
}

void HnswLinks::set(std::uint32_t row, int level, std::span<const std::uint32_t> neighbours) {
    auto* to = level == 0 ? base_.data() + base_at(row) : upper_.data() + upper_at(row, level);
    auto* end = std::ranges::copy(neighbours, to).out;
    std::fill(end, to + room(level), kNone);
}

void HnswLinks::raise_entry(std::uint32_t row) {
    if (levels(row) - 1 <= max_level_) return;
    entry_ = row;
    max_level_ = levels(row) - 1;
}

std::size_t HnswLinks::bytes() const {
    return levels_.capacity() +
           (base_.capacity() + upper_.capacity() + upper_at_.capacity()) * sizeof(std::uint32_t);
}

HnswLinks::Flat HnswLinks::flat() const {
    Flat flat;
    flat.levels.assign(levels_.begin(), levels_.end());
    flat.links.reserve(base_.size() + upper_.size());
    for (std::uint32_t row = 0; row < rows(); ++row) {
        for (int level = 0; level < levels(row); ++level) {
            for (const auto link : at(row, level)) {
                flat.links.push_back(static_cast<std::int32_t>(link));  // kNone becomes -1
            }
        }
    }
    flat.entry = static_cast<std::int32_t>(entry_);
    flat.max_level = max_level_;
    return flat;
}

}  // namespace unitvec
