#pragma once
/// Which id each row has, and which row each id.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "search/row_filter.hpp"
#include "unitvec/types.hpp"

namespace unitvec {

/// A hash table (open addressing, linear probing) of row numbers alone, whose ids stand in the list
/// of ids: 14 to 20 bytes a vector, the list included.
class IdMap {
public:
    /// The ids of `n` new rows: those given, or the numbers after the largest ever used.
    /// @throws std::invalid_argument if an id is negative, repeated or present, or their number is
    ///         not n; nothing is changed either way
    [[nodiscard]] std::vector<Id> choose(std::size_t n,
                                         std::optional<std::span<const Id>> ids) const;

    /// Makes room for that many rows in all.
    void reserve(std::size_t rows);
    /// Appends rows under ids that `choose` has checked.
    void append(std::span<const Id> ids);

    /// Fills an empty map. @returns the first row whose id is below -1, repeated, or not below
    /// `next`; nothing where all are sound
    [[nodiscard]] std::optional<std::size_t> restore(std::span<const Id> ids, Id next);

    /// The rows of ids to be removed. @throws std::invalid_argument if one is unknown or repeated
    [[nodiscard]] std::vector<std::uint32_t> rows_to_remove(std::span<const Id> ids) const;
    void mark_dead(std::span<const std::uint32_t> rows);

    /// Forgets the last rows, which are live, so that `rows` remain.
    void truncate(std::size_t rows);
    /// Numbers the live rows anew, in their order; returns their old numbers.
    std::vector<std::uint32_t> compact();

    [[nodiscard]] std::optional<std::uint32_t> find(Id id) const;
    /// Calls allow(row) for the row of each id that the map holds. Many ids in ascending order, in
    /// a map whose ids ascend, are met in one pass over the rows: ten times as quick as look-ups.
    template <typename Allow>
    void for_each_row(std::span<const Id> ids, const Allow& allow) const;
    /// Allows the row of each id that the map holds and that is marked. Where most of the ids are
    /// those of the rows, in their order, that takes little longer than reading both.
    /// @param marks   one for each id
    /// @param filter  over the rows of this map; what it allowed before, it does no more
    void allow_marked(std::span<const Id> ids, std::span<const bool> marks,
                      RowFilter& filter) const;
    [[nodiscard]] std::size_t rows() const { return ids_.size(); }
    [[nodiscard]] std::size_t live() const { return live_; }
    [[nodiscard]] std::size_t dead() const { return rows() - live(); }
    [[nodiscard]] std::span<const Id> ids() const { return ids_; }  ///< kDead where removed
    [[nodiscard]] Id next() const { return next_; }
    void set_next(Id next) { next_ = next; }
    [[nodiscard]] std::size_t bytes() const;

private:
    /// As allow_marked. @returns false, with too few rows allowed, unless the ids ascend
    bool allow_in_one_pass(std::span<const Id> ids, std::span<const bool> marks,
                           RowFilter& filter) const;
    void enter(std::uint32_t row);     // into a table that has room
    void make_room(std::size_t more);  // for so many further rows
    void rebuild(std::size_t more);    // without the rows that are gone

    std::vector<Id> ids_;
    std::vector<std::uint32_t> slots_;  // a power of two of them, at most two thirds used
    std::size_t used_ = 0;
    std::size_t live_ = 0;
    Id next_ = 0;
    bool ascending_ = true;  // every id was larger than all before it
};

template <typename Allow>
void IdMap::for_each_row(std::span<const Id> ids, const Allow& allow) const {
    constexpr std::size_t kRowsPerLookUp = 16;  // passed in the time of one look-up
    const bool one_pass =
        ascending_ && kRowsPerLookUp * ids.size() >= ids_.size() && std::ranges::is_sorted(ids);
    if (!one_pass) {
        for (const Id id : ids) {
            if (const auto row = find(id)) allow(*row);
        }
        return;
    }
    auto wanted = ids.begin();
    for (std::uint32_t row = 0; row < ids_.size(); ++row) {
        if (ids_[row] == kDead) continue;
        while (wanted != ids.end() && *wanted < ids_[row]) ++wanted;
        if (wanted == ids.end()) return;
        if (*wanted == ids_[row]) allow(row);
    }
}

}  // namespace unitvec
