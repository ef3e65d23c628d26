#include "search/id_map.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <unordered_set>

#include "unitvec/error.hpp"

namespace unitvec {
namespace {

constexpr Id kLargest = std::numeric_limits<Id>::max();

std::string at_row(Id id, std::size_t row) {
    return std::to_string(id) + " in row " + std::to_string(row);
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
    std::unordered_set<Id> seen;
    seen.reserve(n);
    for (std::size_t i = 0; i < n; ++i) {
        const Id id = (*ids)[i];
        if (id < 0 || id == kLargest) {
            throw_invalid("add", "ids of 0 or more, below 2^63 - 1", at_row(id, i));
        }
        if (row_of_.contains(id)) {
            throw_invalid("add", "ids that the index does not hold", at_row(id, i));
        }
        if (!seen.insert(id).second) throw_invalid("add", "each id once", at_row(id, i) + " again");
        chosen[i] = id;
    }
    return chosen;
}

void IdMap::append(std::span<const Id> ids) {
    row_of_.reserve(row_of_.size() + ids.size());
    ids_.reserve(ids_.size() + ids.size());
    for (const Id id : ids) {
        row_of_.emplace(id, static_cast<std::uint32_t>(ids_.size()));
        ids_.push_back(id);
        next_ = std::max(next_, id + 1);
    }
}

std::optional<std::size_t> IdMap::restore(std::span<const Id> ids, Id next) {
    ids_.assign(ids.begin(), ids.end());
    row_of_.reserve(ids.size());
    for (std::size_t row = 0; row < ids.size(); ++row) {
        if (ids[row] == kDead) continue;
        const bool sound = ids[row] >= 0 && ids[row] < next;
        if (!sound || !row_of_.emplace(ids[row], static_cast<std::uint32_t>(row)).second)
            return row;
    }
    next_ = next;
    return std::nullopt;
}

std::vector<std::uint32_t> IdMap::rows_to_remove(std::span<const Id> ids) const {
    std::vector<std::uint32_t> rows;
    std::unordered_set<Id> seen;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto row = find(ids[i]);
        if (!row) throw_invalid("remove", "ids that the index holds", at_row(ids[i], i));
        if (!seen.insert(ids[i]).second) {
            throw_invalid("remove", "each id once", at_row(ids[i], i) + " again");
        }
        rows.push_back(*row);
    }
    return rows;
}

void IdMap::mark_dead(std::span<const std::uint32_t> rows) {
    for (const auto row : rows) {
        row_of_.erase(ids_[row]);
        ids_[row] = kDead;
    }
}

void IdMap::truncate(std::size_t rows) {
    for (std::size_t row = rows; row < ids_.size(); ++row) row_of_.erase(ids_[row]);
    ids_.resize(std::min(rows, ids_.size()));
}

std::vector<std::uint32_t> IdMap::compact() {
    std::vector<std::uint32_t> kept;
    kept.reserve(live());
    for (std::uint32_t row = 0; row < ids_.size(); ++row) {
        if (ids_[row] == kDead) continue;
        row_of_[ids_[row]] = static_cast<std::uint32_t>(kept.size());
        ids_[kept.size()] = ids_[row];
        kept.push_back(row);
    }
    ids_.resize(kept.size());
    return kept;
}

std::optional<std::uint32_t> IdMap::find(Id id) const {
    const auto found = row_of_.find(id);
    if (found == row_of_.end()) return std::nullopt;
    return found->second;
}

std::size_t IdMap::bytes() const {
    // A node of the map: next pointer, id and row; and a bucket's pointer.
    constexpr std::size_t kNode = sizeof(void*) + sizeof(Id) + sizeof(std::uint64_t);
    return ids_.capacity() * sizeof(Id) + row_of_.size() * kNode +
           row_of_.bucket_count() * sizeof(void*);
}

}  // namespace unitvec
