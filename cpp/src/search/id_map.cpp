#include "search/id_map.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "search/growth.hpp"
#include "search/random.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

constexpr Id kLargest = std::numeric_limits<Id>::max();
constexpr std::uint32_t kEmpty = std::numeric_limits<std::uint32_t>::max();

std::string at_row(Id id, std::size_t row) {
    return std::to_string(id) + " in row " + std::to_string(row);
}

/// Neighbouring ids lie far apart.
std::size_t hash_of(Id id) {
    return static_cast<std::size_t>(Random(static_cast<std::uint64_t>(id)).next());
}

/// Where an id comes for the second time; ids that ascend are not sorted for it.
std::optional<std::size_t> first_repeat(std::span<const Id> ids) {
    const auto not_ascending = std::ranges::adjacent_find(ids, std::greater_equal<>());
    if (not_ascending == ids.end()) return std::nullopt;
    std::vector<std::size_t> order(ids.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
        return ids[a] < ids[b] || (ids[a] == ids[b] && a < b);
    });
    std::optional<std::size_t> first;
    for (std::size_t i = 1; i < order.size(); ++i) {
        if (ids[order[i]] == ids[order[i - 1]])
            first = std::min(first.value_or(order[i]), order[i]);
    }
    return first;
}

}  // namespace

std::vector<Id> IdMap::choose(std::size_t n, std::optional<std::span<const Id>> ids) const {
    std::vector<Id> chosen(n);
    if (!ids) {
        if (n > static_cast<std::size_t>(kLargest - next_)) {
            throw_invalid("add", "ids, because the largest possible id is in use", "none");
        }
        std::iota(chosen.begin(), chosen.end(), next_);
        return chosen;
    }
    if (ids->size() != n) {
        throw_invalid("add", std::to_string(n) + " ids, one for each vector",
                      std::to_string(ids->size()));
    }
    for (std::size_t i = 0; i < n; ++i) {
        const Id id = (*ids)[i];
        if (id < 0 || id == kLargest) {
            throw_invalid("add", "ids of 0 or more, below 2^63 - 1", at_row(id, i));
        }
        if (find(id)) throw_invalid("add", "ids that the index does not hold", at_row(id, i));
        chosen[i] = id;
    }
    if (const auto row = first_repeat(chosen)) {
        throw_invalid("add", "each id once", at_row(chosen[*row], *row) + " again");
    }
    return chosen;
}

void IdMap::reserve(std::size_t rows) {
    unitvec::make_room(ids_, rows);
    if (rows > ids_.size()) make_room(rows - ids_.size());
}

void IdMap::append(std::span<const Id> ids) {
    reserve(ids_.size() + ids.size());
    for (const Id id : ids) {
        ascending_ = ascending_ && id >= next_;
        ids_.push_back(id);
        enter(static_cast<std::uint32_t>(ids_.size() - 1));
        next_ = std::max(next_, id + 1);
    }
    live_ += ids.size();
}

std::optional<std::size_t> IdMap::restore(std::span<const Id> ids, Id next) {
    ids_.reserve(ids.size());
    make_room(ids.size());
    Id last = kDead;
    for (std::size_t row = 0; row < ids.size(); ++row) {
        const bool dead = ids[row] == kDead;
        if (!dead && (ids[row] < 0 || ids[row] >= next || find(ids[row]))) return row;
        ids_.push_back(ids[row]);
        if (dead) continue;
        ascending_ = ascending_ && ids[row] > last;
        last = ids[row];
        enter(static_cast<std::uint32_t>(row));
        ++live_;
    }
    next_ = next;
    return std::nullopt;
}

std::vector<std::uint32_t> IdMap::rows_to_remove(std::span<const Id> ids) const {
    std::vector<std::uint32_t> rows;
    rows.reserve(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto row = find(ids[i]);
        if (!row) throw_invalid("remove", "ids that the index holds", at_row(ids[i], i));
        rows.push_back(*row);
    }
    if (const auto row = first_repeat(ids)) {
        throw_invalid("remove", "each id once", at_row(ids[*row], *row) + " again");
    }
    return rows;
}

void IdMap::allow_marked(std::span<const Id> ids, std::span<const bool> marks,
                         RowFilter& filter) const {
    filter.allow_none();
    if (ascending_ && allow_in_one_pass(ids, marks, filter)) return;
    filter.allow_none();
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (!marks[i]) continue;
        if (const auto row = find(ids[i])) filter.allow(*row);
    }
}

bool IdMap::allow_in_one_pass(std::span<const Id> ids, std::span<const bool> marks,
                              RowFilter& filter) const {
    constexpr std::size_t kBlock = RowFilter::kAtOnce;
    const auto are_same = [&](std::size_t row, std::size_t i) {
        return row + kBlock <= ids_.size() && i + kBlock <= ids.size() &&
               std::memcmp(&ids_[row], &ids[i], kBlock * sizeof(Id)) == 0 &&
               std::find(&ids[i], &ids[i] + kBlock, kDead) == &ids[i] + kBlock;
    };
    std::size_t row = 0, i = 0;
    Id last = std::numeric_limits<Id>::min();
    const auto ascends = [&](std::size_t next) {
        const Id before = std::exchange(last, ids[next]);
        return before < last;
    };
    while (row < ids_.size() && i < ids.size()) {
        if (are_same(row, i)) {
            if (!ascends(i)) return false;
            filter.allow_marked(&marks[i], static_cast<std::uint32_t>(row));
            row += kBlock;
            i += kBlock;
            last = ids[i - 1];
        } else if (ids_[row] == kDead || ids_[row] < ids[i]) {
            ++row;
        } else {
            if (!ascends(i)) return false;
            if (ids_[row] == ids[i] && marks[i]) filter.allow(static_cast<std::uint32_t>(row));
            ++i;
        }
    }
    for (; i < ids.size(); ++i) {
        if (!ascends(i)) return false;
    }
    return true;
}

void IdMap::mark_dead(std::span<const std::uint32_t> rows) {
    for (const auto row : rows) ids_[row] = kDead;
    live_ -= rows.size();
}

void IdMap::truncate(std::size_t rows) {
    for (std::size_t row = rows; row < ids_.size(); ++row) live_ -= ids_[row] != kDead;
    ids_.resize(std::min(rows, ids_.size()));
}

std::vector<std::uint32_t> IdMap::compact() {
    std::vector<std::uint32_t> kept;
    kept.reserve(live());
    for (std::uint32_t row = 0; row < ids_.size(); ++row) {
        if (ids_[row] == kDead) continue;
        ids_[kept.size()] = ids_[row];
        kept.push_back(row);
    }
    ids_.resize(kept.size());
    ids_.shrink_to_fit();
    rebuild(0);
    return kept;
}

std::optional<std::uint32_t> IdMap::find(Id id) const {
    if (slots_.empty() || id < 0) return std::nullopt;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash_of(id) & mask; slots_[at] != kEmpty; at = (at + 1) & mask) {
        // Rows that died, or that a truncation took, are still in the table.
        const auto row = slots_[at];
        if (row < ids_.size() && ids_[row] == id) return row;
    }
    return std::nullopt;
}

void IdMap::enter(std::uint32_t row) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash_of(ids_[row]) & mask;
    while (slots_[at] != kEmpty) at = (at + 1) & mask;
    slots_[at] = row;
    ++used_;
}

void IdMap::make_room(std::size_t more) {
    if (3 * (used_ + more) > 2 * slots_.size()) rebuild(more);
}

void IdMap::rebuild(std::size_t more) {
    std::size_t size = 16;
    while (2 * size < 3 * (live_ + more)) size *= 2;
    slots_.assign(size, kEmpty);
    slots_.shrink_to_fit();
    used_ = 0;
    for (std::uint32_t row = 0; row < ids_.size(); ++row) {
        if (ids_[row] != kDead) enter(row);
    }
}

std::size_t IdMap::bytes() const {
    return ids_.capacity() * sizeof(Id) + slots_.capacity() * sizeof(std::uint32_t);
}

}  // namespace unitvec
