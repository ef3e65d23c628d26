#pragma once
/// Walks through the graph (Malkov and Yashunin 2016, algorithms 2 and 5).
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "pool.hpp"
#include "search/breadth.hpp"
#include "search/hnsw_links.hpp"
#include "search/hnsw_target.hpp"
#include "search/row_filter.hpp"
#include "search/top_k.hpp"

namespace unitvec {

/// The memory of one walk, kept for the next: marks of the rows met, and two lists.
class HnswWalk {
public:
    /// Makes room for marks of this many rows.
    void fit(std::size_t rows);

    /// From the entry point down to `level`, always to the nearest neighbour.
    [[nodiscard]] Neighbour descend(const HnswLinks& links, const HnswTarget& target, int level);

    /// Offers `found` the rows of a level that lie around the starts, until it has kept as many as
    /// it can and none nearer is in sight.
    /// @param filter  what may be kept; nullptr: every row
    /// @param end     ends the walk before that; nullptr: nothing does
    void explore(const HnswLinks& links, const HnswTarget& target, int level,
                 std::span<const Neighbour> starts, const RowFilter* filter, WalkEnd* end,
                 TopK& found);

private:
    /// Fills fresh_ and nearness_ with the neighbours of `row` that were not met yet, but for those
    /// whose sketches say that they are farther than `limit`.
    void meet(const HnswLinks& links, const HnswTarget& target, std::uint32_t row, int level,
              float limit);
    void leave_farther(const HnswTarget& target, float limit);
    /// Whether sketches have told enough so far to be looked at further.
    [[nodiscard]] bool sketches_tell() const;
    /// Has the links loaded that the next step will read: of the nearest row in sight.
    void ask_for_next(const HnswLinks& links, int level) const;
    void forget();
    bool mark(std::uint32_t row);

    std::vector<std::uint16_t> marks_;  // == round_: met in this walk
    std::uint16_t round_ = 0;
    std::size_t estimated_ = 0, compared_ = 0;  // rows by their sketches, and of these by more
    std::vector<std::uint32_t> fresh_;
    std::vector<float> nearness_;
    std::vector<Neighbour> frontier_;  // a heap, nearest first
};

/// Walks that nobody is using.
using HnswWalks = Pool<HnswWalk>;

/// One of them, given back at the end.
class BorrowedWalk {
public:
    BorrowedWalk(HnswWalks& walks, std::size_t rows) : walks_(walks), walk_(walks.take()) {
        walk_->fit(rows);
    }
    ~BorrowedWalk() { walks_.give_back(std::move(walk_)); }
    BorrowedWalk(const BorrowedWalk&) = delete;
    BorrowedWalk& operator=(const BorrowedWalk&) = delete;

    HnswWalk& operator*() const { return *walk_; }
    HnswWalk* operator->() const { return walk_.get(); }

private:
    HnswWalks& walks_;
    std::unique_ptr<HnswWalk> walk_;
};

}  // namespace unitvec
