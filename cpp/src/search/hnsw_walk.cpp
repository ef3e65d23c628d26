#include "search/hnsw_walk.hpp"

#include <algorithm>

namespace unitvec {
namespace {

constexpr auto kFarthestLast = [](const Neighbour& a, const Neighbour& b) { return better(b, a); };

}  // namespace

Neighbour HnswWalk::descend(const HnswLinks& links, const HnswTarget& target, int level) {
    Neighbour nearest{0.0F, links.entry()};
    target.compare(&nearest.row, 1, &nearest.nearness);
    for (int above = links.max_level(); above > level; --above) {
        forget();  // a row met above may lead further below
        for (bool moved = true; moved;) {
            moved = false;
            meet(links, target, nearest.row, above);
            for (std::size_t i = 0; i < fresh_.size(); ++i) {
                const Neighbour next{nearness_[i], fresh_[i]};
                if (better(next, nearest)) {
                    nearest = next;
                    moved = true;
                }
            }
        }
    }
    return nearest;
}

void HnswWalk::explore(const HnswLinks& links, const HnswTarget& target, int level,
                       std::span<const Neighbour> starts, const RowFilter* filter, WalkEnd* end,
                       TopK& found) {
    const auto keep = [&](const Neighbour& met) {
        if (filter != nullptr && !(*filter)(met.row)) return;
        found.offer(met);
        if (end != nullptr) end->offer(met);
    };
    forget();
    frontier_.assign(starts.begin(), starts.end());
    std::ranges::make_heap(frontier_, kFarthestLast);
    for (const auto& start : starts) {
        mark(start.row);
        keep(start);
    }
    while (!frontier_.empty()) {
        const Neighbour nearest = frontier_.front();
        // Removed and filtered rows are walked through but not kept, so the walk goes on until it
        // has kept enough others.
        if (found.full() && nearest.nearness < found.threshold()) break;
        if (end != nullptr && end->is_beyond(nearest.nearness)) break;
        std::ranges::pop_heap(frontier_, kFarthestLast);
        frontier_.pop_back();
        meet(links, target, nearest.row, level);
        ask_for_next(links, level);
        for (std::size_t i = 0; i < fresh_.size(); ++i) {
            const Neighbour next{nearness_[i], fresh_[i]};
            if (found.full() && next.nearness <= found.threshold()) continue;
            if (end != nullptr && end->is_beyond(next.nearness)) continue;
            frontier_.push_back(next);
            std::ranges::push_heap(frontier_, kFarthestLast);
            keep(next);
        }
    }
}

void HnswWalk::meet(const HnswLinks& links, const HnswTarget& target, std::uint32_t row,
                    int level) {
    fresh_.clear();
    for (const auto neighbour : links.at(row, level)) {
        if (neighbour == HnswLinks::kNone) break;
        if (!mark(neighbour)) continue;
        fresh_.push_back(neighbour);
        target.ask_for(neighbour);
    }
    nearness_.resize(fresh_.size());
    target.compare(fresh_.data(), fresh_.size(), nearness_.data());
}

void HnswWalk::ask_for_next(const HnswLinks& links, int level) const {
    const auto best = std::ranges::max_element(nearness_);
    const bool is_fresh =
        best != nearness_.end() && (frontier_.empty() || *best > frontier_.front().nearness);
    if (is_fresh) {
        links.ask_for(fresh_[static_cast<std::size_t>(best - nearness_.begin())], level);
    } else if (!frontier_.empty()) {
        links.ask_for(frontier_.front().row, level);
    }
}

bool HnswWalk::mark(std::uint32_t row) {
    if (marks_[row] == round_) return false;
    marks_[row] = round_;
    return true;
}

void HnswWalk::forget() {
    if (++round_ == 0) {  // the counter is used up: old marks would look new
        std::ranges::fill(marks_, std::uint16_t{0});
        round_ = 1;
    }
}

void HnswWalk::fit(std::size_t rows) {
    if (marks_.size() < rows) marks_.resize(rows, 0);
}

}  // namespace unitvec
