#pragma once
/// The best few of many candidates.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace unitvec {

/// A stored row and how near it is: larger is nearer (a dot product, or a negated distance; the
/// Euclidean one still squared).
struct Neighbour {
    float nearness;
    std::uint32_t row;

    /// Nearer, or as near and stored earlier: a total order, so results do not depend on the order
    /// in which candidates were met. A NaN is better than nothing.
    friend bool better(const Neighbour& a, const Neighbour& b) {
        return a.nearness > b.nearness || (a.nearness == b.nearness && a.row < b.row);
    }
};

/// Keeps the `k` best of all neighbours offered.
class TopK {
public:
    explicit TopK(std::size_t k) : k_(k) {}

    [[nodiscard]] bool full() const { return heap_.size() >= k_; }
    [[nodiscard]] std::size_t size() const { return heap_.size(); }

    /// The nearness of the worst kept, which a new one must reach; -infinity until `k` are kept.
    [[nodiscard]] float threshold() const {
        return full() && k_ > 0 ? heap_.front().nearness : -std::numeric_limits<float>::infinity();
    }

    void offer(Neighbour candidate) {
        if (!full()) {
            heap_.push_back(candidate);
            std::ranges::push_heap(heap_, kWorstFirst);
        } else if (k_ > 0 && better(candidate, heap_.front())) {
            std::ranges::pop_heap(heap_, kWorstFirst);
            heap_.back() = candidate;
            std::ranges::push_heap(heap_, kWorstFirst);
        }
    }

    void merge(const TopK& other) {
        for (const auto& neighbour : other.heap_) offer(neighbour);
    }

    /// Best first; leaves this empty.
    [[nodiscard]] std::vector<Neighbour> take_sorted() {
        std::ranges::sort_heap(heap_, kWorstFirst);
        return std::exchange(heap_, {});
    }

    /// The kept ones in no order.
    [[nodiscard]] const std::vector<Neighbour>& unsorted() const { return heap_; }

private:
    // A heap whose comparison is "better" has the worst in front.
    static constexpr auto kWorstFirst = [](const Neighbour& a, const Neighbour& b) {
        return better(a, b);
    };

    std::size_t k_;
    std::vector<Neighbour> heap_;
};

}  // namespace unitvec
