#include "search/hnsw_walk.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace unitvec {
namespace {

constexpr float kNoLimit = -std::numeric_limits<float>::infinity();
constexpr auto kFarthestLast = [](const Neighbour& a, const Neighbour& b) { return better(b, a); };

}  // namespace

Neighbour HnswWalk::descend(const HnswLinks& links, const HnswTarget& target, int level) {
    estimated_ = compared_ = 0;
    Neighbour nearest{0.0F, links.entry()};
    target.compare(&nearest.row, 1, &nearest.nearness);
    for (int above = links.max_level(); above > level; --above) {
        forget();  // a row met above may lead further below
        for (bool moved = true; moved;) {
            moved = false;
            meet(links, target, nearest.row, above, nearest.nearness);
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
    estimated_ = compared_ = 0;
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
        const float worst = found.full() ? found.threshold() : kNoLimit;
        meet(links, target, nearest.row, level,
             end != nullptr ? std::max(worst, end->limit()) : worst);
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

void HnswWalk::meet(const HnswLinks& links, const HnswTarget& target, std::uint32_t row, int level,
                    float limit) {
    const bool by_sketch = target.has_sketches() && limit > kNoLimit && sketches_tell();
    const auto neighbours = links.at(row, level);
    fresh_.resize(neighbours.size());
    std::size_t count = 0;
    for (const auto neighbour : neighbours) {
        if (neighbour == HnswLinks::kNone) break;
        fresh_[count] = neighbour;  // half of them were met before: no branch guesses which
        count += mark(neighbour) ? 1 : 0;
        if (by_sketch) target.ask_for_sketch(neighbour);
    }
    fresh_.resize(count);
    if (by_sketch) leave_farther(target, limit);
    for (const auto one : fresh_) target.ask_for(one);
    nearness_.resize(fresh_.size());
    target.compare(fresh_.data(), fresh_.size(), nearness_.data());
}

void HnswWalk::leave_farther(const HnswTarget& target, float limit) {
    nearness_.resize(fresh_.size());
    target.estimate(fresh_.data(), fresh_.size(), nearness_.data());
    std::size_t left = 0;
    for (std::size_t i = 0; i < fresh_.size(); ++i) {
        fresh_[left] = fresh_[i];
        left += nearness_[i] < limit ? 0 : 1;
    }
    estimated_ += fresh_.size();
    compared_ += left;
    fresh_.resize(left);
}

bool HnswWalk::sketches_tell() const {
    // Among rows that are all about as near, estimates leave none out, and take their time.
    constexpr std::size_t kTried = 128;
    return estimated_ < kTried || 4 * compared_ < 3 * estimated_;
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
    return std::exchange(marks_[row], round_) != round_;
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
