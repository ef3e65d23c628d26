#include <algorithm>
#include <string>

#include "search/hnsw_links.hpp"

namespace unitvec {
namespace {

/// Numbers of links by the levels of the rows. @returns what is wrong, or nothing
std::string check_levels(const HnswLinks::FlatView& from, const HnswLinks& links, std::size_t rows,
                         int most) {
    if (from.levels.size() != rows) return "expected one level for each row";
    std::size_t expected = 0;
    for (const int levels : from.levels) {
        if (levels < 1 || levels > most) return "expected levels from 1 to " + std::to_string(most);
        expected += links.room(0) + static_cast<std::size_t>(levels - 1) * links.room(1);
    }
    if (expected == from.links.size()) return {};
    return "expected " + std::to_string(expected) + " links, got " +
           std::to_string(from.links.size());
}

/// A link on a level must lead to a row that is on this level, or following it would read outside.
bool is_sound(std::span<const std::int32_t> list, int level, std::span<const std::int32_t> levels) {
    return std::ranges::all_of(list, [&](std::int32_t link) {
        if (link == -1) return true;
        return link >= 0 && static_cast<std::size_t>(link) < levels.size() &&
               levels[static_cast<std::size_t>(link)] > level;
    });
}

bool entry_is_sound(const HnswLinks::FlatView& from) {
    if (from.levels.empty()) return from.entry == -1 && from.max_level == -1;
    if (from.entry < 0) return false;
    const auto entry = static_cast<std::size_t>(from.entry);
    return entry < from.levels.size() && from.levels[entry] == from.max_level + 1;
}

}  // namespace

std::string HnswLinks::take_lists(const FlatView& from) {
    std::vector<std::uint32_t> neighbours;
    std::size_t at = 0;
    for (std::size_t i = 0; i < from.levels.size(); ++i) {
        const auto row = static_cast<std::uint32_t>(i);
        append_row(from.levels[i]);
        for (int level = 0; level < levels(row); ++level) {
            const auto list = from.links.subspan(at, room(level));
            at += list.size();
            if (!is_sound(list, level, from.levels)) {
                return "expected links to rows on the same level, got another in row " +
                       std::to_string(row);
            }
            const auto end = std::ranges::find(list, -1);
            neighbours.assign(list.begin(), end);
            set(row, level, neighbours);
        }
    }
    return {};
}

std::string HnswLinks::restore(const FlatView& from, std::size_t rows) {
    *this = HnswLinks(M_);
    if (auto wrong = check_levels(from, *this, rows, most_levels(M_)); !wrong.empty()) return wrong;
    if (!entry_is_sound(from)) return "expected the entry point on the highest level";
    reserve(rows);
    if (auto wrong = take_lists(from); !wrong.empty()) return wrong;
    entry_ = static_cast<std::uint32_t>(from.entry);
    max_level_ = from.max_level;
    return {};
}

}  // namespace unitvec
