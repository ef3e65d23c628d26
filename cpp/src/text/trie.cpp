#include "trie.hpp"

#include <algorithm>
#include <queue>

namespace unitvec {

/// Places the nodes of a sorted list of keys, level by level.
class TrieBuilder {
public:
    TrieBuilder(std::span<const Trie::Entry> sorted, std::vector<Trie::Cell>& cells)
        : sorted_(sorted), cells_(cells) {}

    void build() {
        reserve(257);
        std::queue<Work> queue;
        queue.push({Trie::kRoot, 0, sorted_.size(), 0});
        while (!queue.empty()) {
            place_children(queue.front(), queue);
            queue.pop();
        }
        cells_.shrink_to_fit();
    }

private:
    /// The node that all of sorted[begin, end) reach with their first `depth` bytes.
    struct Work {
        Trie::Node node;
        std::size_t begin, end, depth;
    };

    struct Child {
        unsigned char byte;
        std::size_t begin, end;
    };

    void place_children(const Work& work, std::queue<Work>& queue) {
        std::size_t begin = work.begin;
        if (begin < work.end && sorted_[begin].key.size() == work.depth) {
            cells_[work.node].value = sorted_[begin].value;
            ++begin;
        }
        const auto children = children_of(begin, work.end, work.depth);
        if (children.empty()) {
            cells_[work.node].base = 0;  // cells 0 ... 256 always exist; none has this owner
            return;
        }
        const auto base = find_base(children);
        reserve(std::size_t{base} + 257);
        cells_[work.node].base = base;
        for (const auto& child : children) {
            cells_[base + child.byte].owner = work.node;
            queue.push({base + child.byte, child.begin, child.end, work.depth + 1});
        }
        while (first_free_ < cells_.size() && cells_[first_free_].owner != Trie::kNone)
            ++first_free_;
    }

    [[nodiscard]] std::vector<Child> children_of(std::size_t begin, std::size_t end,
                                                 std::size_t depth) const {
        std::vector<Child> children;
        for (std::size_t i = begin; i < end; ++i) {
            const auto byte = static_cast<unsigned char>(sorted_[i].key[depth]);
            if (children.empty() || children.back().byte != byte) children.push_back({byte, i, i});
            children.back().end = i + 1;
        }
        return children;
    }

    /// A base where every child's cell is free. A single child takes the first free cell; several
    /// look only through the youngest cells, or time would be quadratic in the number of nodes.
    [[nodiscard]] Trie::Node find_base(const std::vector<Child>& children) const {
        constexpr std::size_t kWindow = 512;  // cells; eight times as many saved 3 % of memory
        const auto first = children.front().byte;
        auto cell = first_free_;
        if (children.size() > 1 && cells_.size() > cell + kWindow) cell = cells_.size() - kWindow;
        for (; cell < cells_.size(); ++cell) {
            const auto base = cell - first;
            if (std::ranges::all_of(children,
                                    [&](const Child& c) { return is_free(base + c.byte); })) {
                break;
            }
        }
        return static_cast<Trie::Node>(cell - first);
    }

    [[nodiscard]] bool is_free(std::size_t cell) const {
        return cell >= cells_.size() || cells_[cell].owner == Trie::kNone;
    }

    void reserve(std::size_t cells) {
        if (cells_.size() < cells) cells_.resize(cells);
    }

    std::span<const Trie::Entry> sorted_;
    std::vector<Trie::Cell>& cells_;
    // Children live from cell 256 on, so that every base is at least 1: cell 0, the root, is
    // nobody's child.
    std::size_t first_free_ = 256;
};

Trie::Trie(std::vector<Entry> entries) {
    std::ranges::sort(entries, {}, &Entry::key);
    TrieBuilder(entries, cells_).build();
}

}  // namespace unitvec
