#include <algorithm>
#include <string>

#include "search/faiss_hnsw.hpp"

namespace unitvec {
namespace {

using Hnsw = faiss::HNSW;

/// Fills levels and offsets. @returns what is wrong, or nothing
std::string restore_levels(Hnsw& hnsw, const HnswGraph::Links& from, std::size_t rows) {
    if (from.levels.size() != rows) return "expected one level for each row";
    const auto most = static_cast<int>(hnsw.cum_nneighbor_per_level.size()) - 1;
    hnsw.levels.assign(from.levels.begin(), from.levels.end());
    hnsw.offsets.assign(1, 0);
    hnsw.offsets.reserve(rows + 1);
    for (const int level : hnsw.levels) {
        if (level < 1 || level > most) return "expected levels from 1 to " + std::to_string(most);
        const auto width = static_cast<std::size_t>(hnsw.cum_nb_neighbors(level));
        hnsw.offsets.push_back(hnsw.offsets.back() + width);
    }
    if (hnsw.offsets.back() != from.links.size()) {
        return "expected " + std::to_string(hnsw.offsets.back()) + " links, got " +
               std::to_string(from.links.size());
    }
    return {};
}

/// A link on a level must lead to a row that is on this level, or following it would read outside.
bool links_are_sound(const Hnsw& hnsw, std::span<const std::int32_t> links, std::size_t row) {
    for (int level = 0; level < hnsw.levels[row]; ++level) {
        const auto base = hnsw.offsets[row];
        const auto first = base + static_cast<std::size_t>(hnsw.cum_nb_neighbors(level));
        const auto last = base + static_cast<std::size_t>(hnsw.cum_nb_neighbors(level + 1));
        for (std::size_t i = first; i < last; ++i) {
            const auto link = links[i];
            if (link < -1 || link >= static_cast<std::int64_t>(hnsw.levels.size())) return false;
            if (link >= 0 && hnsw.levels[static_cast<std::size_t>(link)] <= level) return false;
        }
    }
    return true;
}

bool entry_is_sound(const Hnsw& hnsw, const HnswGraph::Links& from) {
    if (hnsw.levels.empty()) return from.entry_point == -1 && from.max_level == -1;
    if (from.entry_point < 0) return false;
    const auto entry = static_cast<std::size_t>(from.entry_point);
    return entry < hnsw.levels.size() && hnsw.levels[entry] == from.max_level + 1;
}

}  // namespace

std::string HnswGraph::restore(const Links& from) {
    auto& hnsw = faiss_->index.hnsw;
    const std::size_t rows = faiss_->store.rows();
    if (auto wrong = restore_levels(hnsw, from, rows); !wrong.empty()) return wrong;
    for (std::size_t row = 0; row < rows; ++row) {
        if (!links_are_sound(hnsw, from.links, row)) {
            return "expected links to rows on the same level, got another in row " +
                   std::to_string(row);
        }
    }
    if (!entry_is_sound(hnsw, from)) return "expected the entry point on the highest level";
    hnsw.neighbors.resize(from.links.size());
    std::ranges::copy(from.links, hnsw.neighbors.data());
    hnsw.entry_point = from.entry_point;
    hnsw.max_level = from.max_level;
    // Rows added from now on draw other levels than the first rows did.
    hnsw.rng = faiss::RandomGenerator(static_cast<std::int64_t>(rows));
    faiss_->storage.ntotal = faiss_->index.ntotal = static_cast<std::int64_t>(rows);
    return {};
}

}  // namespace unitvec
