#include "search/hnsw_walk.hpp"

#include <algorithm>

namespace unitvec {
namespace {

constexpr auto kFarthestLast = [](const Neighbour& a, const Neighbour& b) { return better(b, a); };

}  // namespace

std::vector<Neighbour> HnswGraph::Walk::search(const Faiss& graph, const float* query,
                                               std::size_t k, std::size_t ef,
                                               const RowFilter& filter) {
    if (graph.index.hnsw.entry_point < 0) return {};
    TopK found(std::max(ef, k));
    forget();
    const Neighbour start = descend(graph, query);
    forget();
    explore(graph, query, filter, found, start);
    auto nearest = found.take_sorted();
    if (nearest.size() > k) nearest.resize(k);
    return nearest;
}

Neighbour HnswGraph::Walk::descend(const Faiss& graph, const float* query) {
    const auto& hnsw = graph.index.hnsw;
    const auto entry = static_cast<std::uint32_t>(hnsw.entry_point);
    Neighbour nearest{0.0F, entry};
    graph.store.compare(query, nullptr, entry, 1, &nearest.nearness);
    for (int level = hnsw.max_level; level > 0; --level) {
        for (bool moved = true; moved;) {
            moved = false;
            meet(graph, query, nearest.row, level);
            for (std::size_t i = 0; i < fresh_.size(); ++i) {
                const Neighbour next{nearness_[i], fresh_[i]};
                if (better(next, nearest)) {
                    nearest = next;
                    moved = true;
                }
            }
        }
        forget();  // a row met above may lead further below
    }
    return nearest;
}

void HnswGraph::Walk::explore(const Faiss& graph, const float* query, const RowFilter& filter,
                              TopK& found, Neighbour start) {
    frontier_.assign(1, start);
    mark(start.row);
    const bool all = filter.takes_all();
    if (all || filter(start.row)) found.offer(start);
    while (!frontier_.empty()) {
        const Neighbour nearest = frontier_.front();
        // Removed and filtered rows are walked through but not kept, so the walk goes on until it
        // has kept enough others.
        if (found.full() && nearest.nearness < found.threshold()) break;
        std::ranges::pop_heap(frontier_, kFarthestLast);
        frontier_.pop_back();
        meet(graph, query, nearest.row, 0);
        for (std::size_t i = 0; i < fresh_.size(); ++i) {
            const Neighbour next{nearness_[i], fresh_[i]};
            if (found.full() && next.nearness <= found.threshold()) continue;
            frontier_.push_back(next);
            std::ranges::push_heap(frontier_, kFarthestLast);
            if (all || filter(next.row)) found.offer(next);
        }
    }
}

void HnswGraph::Walk::meet(const Faiss& graph, const float* query, std::uint32_t row, int level) {
    const auto& hnsw = graph.index.hnsw;
    const std::size_t base = hnsw.offsets[row];
    const auto first = base + static_cast<std::size_t>(hnsw.cum_nneighbor_per_level[level]);
    const auto last = base + static_cast<std::size_t>(hnsw.cum_nneighbor_per_level[level + 1]);
    const std::int32_t* links = hnsw.neighbors.data();
    fresh_.clear();
    for (std::size_t i = first; i < last && links[i] >= 0; ++i) {
        const auto neighbour = static_cast<std::uint32_t>(links[i]);
        if (mark(neighbour)) fresh_.push_back(neighbour);
    }
    nearness_.resize(fresh_.size());
    graph.store.compare(query, fresh_.data(), 0, fresh_.size(), nearness_.data());
}

bool HnswGraph::Walk::mark(std::uint32_t row) {
    if (marks_[row] == round_) return false;
    marks_[row] = round_;
    return true;
}

void HnswGraph::Walk::forget() {
    if (++round_ == 0) {  // the counter is used up: old marks would look new
        std::ranges::fill(marks_, std::uint16_t{0});
        round_ = 1;
    }
}

void HnswGraph::Walk::fit(std::size_t rows) {
    if (marks_.size() < rows) marks_.resize(rows, 0);
}

void HnswGraph::WalkPool::GiveBack::operator()(Walk* walk) const {
    const std::lock_guard lock(pool->mutex_);
    pool->free_.emplace_back(walk);
}

std::unique_ptr<HnswGraph::Walk, HnswGraph::WalkPool::GiveBack> HnswGraph::WalkPool::borrow(
    std::size_t rows) {
    std::unique_ptr<Walk> walk;
    {
        const std::lock_guard lock(mutex_);
        if (!free_.empty()) {
            walk = std::move(free_.back());
            free_.pop_back();
        }
    }
    if (!walk) walk = std::make_unique<Walk>();
    walk->fit(rows);
    return {walk.release(), GiveBack{this}};
}

}  // namespace unitvec
