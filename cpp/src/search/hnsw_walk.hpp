#pragma once
/// One search through the graph (Malkov and Yashunin 2016, algorithms 2 and 5).
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "search/faiss_hnsw.hpp"

namespace unitvec {

/// The memory of one search, kept for the next: marks of the rows met, and two lists.
class HnswGraph::Walk {
public:
    [[nodiscard]] std::vector<Neighbour> search(const Faiss& graph, const float* query,
                                                std::size_t k, std::size_t ef,
                                                const RowFilter& filter);

    /// Makes room for marks of this many rows.
    void fit(std::size_t rows);

private:
    [[nodiscard]] Neighbour descend(const Faiss& graph, const float* query);
    void explore(const Faiss& graph, const float* query, const RowFilter& filter, TopK& found,
                 Neighbour start);
    /// Fills fresh_ and nearness_ with the neighbours of `row` on `level` that were not met yet.
    void meet(const Faiss& graph, const float* query, std::uint32_t row, int level);
    void forget();
    bool mark(std::uint32_t row);

    std::vector<std::uint16_t> marks_;  // == round_: met in this search
    std::uint16_t round_ = 0;
    std::vector<std::uint32_t> fresh_;
    std::vector<float> nearness_;
    std::vector<Neighbour> frontier_;  // a heap, nearest first
};

/// Walks that no search is using.
class HnswGraph::WalkPool {
public:
    struct GiveBack {
        WalkPool* pool;
        void operator()(Walk* walk) const;
    };
    [[nodiscard]] std::unique_ptr<Walk, GiveBack> borrow(std::size_t rows);

private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Walk>> free_;
};

}  // namespace unitvec
