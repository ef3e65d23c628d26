#pragma once
/// Which rows a search may return.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "unitvec/types.hpp"

namespace unitvec {

/// The mark of a removed vector, in place of its id.
inline constexpr Id kDead = -1;

/// Live rows, or those of them that are allowed. A view: the ids must outlive it.
class RowFilter {
public:
    /// @param ids   id of each row, kDead where removed
    /// @param live  how many are not dead
    RowFilter(std::span<const Id> ids, std::size_t live) : ids_(ids), eligible_(live) {}

    /// Narrows to the rows that allow() names from now on.
    void allow_none() {
        allowed_.assign(ids_.size(), 0);
        eligible_ = 0;
        narrowed_ = true;
    }
    /// @param row  live
    void allow(std::uint32_t row) {
        eligible_ += allowed_[row] == 0;
        allowed_[row] = 1;
    }

    /// The same for each of the next kAtOnce rows that is marked, none of which was allowed before.
    void allow_marked(const bool* marks, std::uint32_t row) {
        std::uint64_t some = 0;
        std::memcpy(&some, marks, sizeof(some));
        std::memcpy(&allowed_[row], &some, sizeof(some));
        eligible_ += static_cast<std::size_t>(std::popcount(some));
    }

    [[nodiscard]] bool operator()(std::uint32_t row) const {
        return narrowed_ ? allowed_[row] != 0 : ids_[row] != kDead;
    }
    [[nodiscard]] bool takes_all() const { return eligible_ == ids_.size(); }
    [[nodiscard]] std::size_t eligible() const { return eligible_; }

    /// The eligible rows, ascending.
    [[nodiscard]] std::vector<std::uint32_t> rows() const {
        std::vector<std::uint32_t> rows;
        rows.reserve(eligible_);
        const auto count = static_cast<std::uint32_t>(ids_.size());
        std::uint32_t row = 0;
        while (row < count) {
            if (narrowed_ && none_of_next(row)) {
                row += kAtOnce;
            } else {
                if ((*this)(row)) rows.push_back(row);
                ++row;
            }
        }
        return rows;
    }

    static constexpr std::uint32_t kAtOnce = 8;

private:
    /// Whether the next kAtOnce rows are there and not allowed: most are not, of few.
    [[nodiscard]] bool none_of_next(std::uint32_t row) const {
        std::uint64_t marks = 1;
        if (row + kAtOnce <= allowed_.size()) std::memcpy(&marks, &allowed_[row], sizeof(marks));
        return marks == 0;
    }

    std::span<const Id> ids_;
    std::vector<std::uint8_t> allowed_;
    std::size_t eligible_;
    bool narrowed_ = false;
};

}  // namespace unitvec
