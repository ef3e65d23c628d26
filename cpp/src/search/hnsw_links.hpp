#pragma once
/// The links of an HNSW graph (Malkov and Yashunin 2016).
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "unitvec/types.hpp"

namespace unitvec {

/// Of each row a list of neighbours on each of its levels: room for 2 M on level 0, for M above.
class HnswLinks {
public:
    static constexpr std::uint32_t kNone = 0xFFFFFFFFU;  ///< what follows the last neighbour

    explicit HnswLinks(std::size_t M);

    /// Makes room for that many rows in all.
    void reserve(std::size_t rows);
    /// Appends rows without neighbours. Their levels depend on their numbers only.
    void append(std::size_t count);

    [[nodiscard]] std::size_t rows() const { return levels_.size(); }
    /// Levels that a row is on, from 1.
    [[nodiscard]] int levels(std::uint32_t row) const { return levels_[row]; }
    [[nodiscard]] std::size_t room(int level) const { return level == 0 ? 2 * M_ : M_; }
    /// As many as there is room for; the neighbours end before the first kNone.
    [[nodiscard]] std::span<const std::uint32_t> at(std::uint32_t row, int level) const {
        return {level == 0 ? base_.data() + base_at(row) : upper_.data() + upper_at(row, level),
                room(level)};
    }
    /// Begins to load a row's list from memory.
    void ask_for(std::uint32_t row, int level) const {
        const auto list = at(row, level);
        constexpr std::size_t kLine = 64 / sizeof(std::uint32_t);
        for (std::size_t i = 0; i < list.size(); i += kLine) __builtin_prefetch(list.data() + i);
    }
    /// @param neighbours  at most room(level) rows that are on this level
    void set(std::uint32_t row, int level, std::span<const std::uint32_t> neighbours);

    /// Where a search starts: a row on the highest level; kNone where there are no rows.
    [[nodiscard]] std::uint32_t entry() const { return entry_; }
    [[nodiscard]] int max_level() const { return max_level_; }  ///< -1 where there are no rows
    /// Lets searches start from the row where it is on a higher level than all before.
    void raise_entry(std::uint32_t row);

    /// The most levels that a row of such a graph can be on.
    [[nodiscard]] static int most_levels(std::size_t M);
    [[nodiscard]] std::size_t bytes() const;
    /// Bytes of a row, on average: 2 M links, M on each level above for one row in M, then in M^2.
    [[nodiscard]] static std::size_t expected_bytes(std::size_t M) {
        return (2 * M + M / (M - 1) + 1) * sizeof(std::uint32_t) + 1;
    }

    /// As they are saved, the same as FAISS's: of row after row its lists, lowest level first.
    struct Flat {
        std::vector<std::int32_t> levels;  ///< of each row, from 1
        std::vector<std::int32_t> links;   ///< a list ends early at -1
        std::int32_t entry;                ///< -1: none
        std::int32_t max_level;            ///< -1: none
    };
    [[nodiscard]] Flat flat() const;
    struct FlatView {
        std::span<const std::int32_t> levels, links;
        std::int32_t entry, max_level;
    };
    /// Takes over links of that many rows.
    /// @returns an empty string, or what is wrong with them: nothing is trusted
    [[nodiscard]] std::string restore(const FlatView& from, std::size_t rows);

private:
    [[nodiscard]] std::size_t base_at(std::uint32_t row) const { return row * room(0); }
    [[nodiscard]] std::size_t upper_at(std::uint32_t row, int level) const {
        return (upper_at_[row] + static_cast<std::size_t>(level - 1)) * M_;
    }
    void append_row(int levels);
    [[nodiscard]] int drawn_levels(std::size_t row) const;
    [[nodiscard]] std::string take_lists(const FlatView& from);

    std::size_t M_;
    std::vector<std::uint8_t> levels_;
    AlignedVector<std::uint32_t> base_;    // level 0
    std::vector<std::uint32_t> upper_;     // the levels above, row after row
    std::vector<std::uint32_t> upper_at_;  // of each row in upper_, by lists
    std::uint32_t entry_ = kNone;
    int max_level_ = -1;
};

}  // namespace unitvec
