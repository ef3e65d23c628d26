#pragma once
/// A set of byte strings, each with a number: exact look-up and longest prefix.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace unitvec {

/// A double-array trie (J. Aoe, "An efficient digital search algorithm by using a double-array
/// structure", 1989): the child of node s on byte c is t = base(s) + c, if owner(t) is s. One cell
/// of 12 bytes a node; a step is one memory access. Immutable, so safe from many threads.
class Trie {
public:
    using Node = std::uint32_t;
    static constexpr Node kRoot = 0;
    static constexpr Node kNone = UINT32_MAX;

    struct Entry {
        std::string_view key;
        std::int32_t value;  ///< not negative
    };

    struct Match {
        std::int32_t value = -1;  ///< -1: no key is a prefix of the text
        std::size_t length = 0;   ///< bytes
    };

    Trie() : Trie(std::vector<Entry>{}) {}
    /// Keys must be distinct. Linear in their bytes, apart from sorting.
    explicit Trie(std::vector<Entry> entries);

    /// The value of a key, or -1.
    [[nodiscard]] std::int32_t find(std::string_view key) const {
        const Node node = walk(kRoot, key);
        return node == kNone ? -1 : cells_[node].value;
    }

    /// The longest non-empty key below `from` that `text` begins with.
    [[nodiscard]] Match longest_prefix(Node from, std::string_view text) const {
        Match match;
        Node node = from;
        for (std::size_t i = 0; i < text.size(); ++i) {
            node = child(node, text[i]);
            if (node == kNone) break;
            if (cells_[node].value >= 0) match = {cells_[node].value, i + 1};
        }
        return match;
    }

    /// The node reached from `from` by the bytes of `text`, or kNone.
    [[nodiscard]] Node walk(Node from, std::string_view text) const {
        for (const char c : text) {
            if (from == kNone) break;
            from = child(from, c);
        }
        return from;
    }

private:
    struct Cell {
        std::uint32_t base = 0;
        Node owner = kNone;  ///< the parent; kNone: the cell is free
        std::int32_t value = -1;
    };

    [[nodiscard]] Node child(Node node, char byte) const {
        // Every base leaves room for 256 cells behind it, so no bound is checked here.
        const Node to = cells_[node].base + static_cast<unsigned char>(byte);
        return cells_[to].owner == node ? to : kNone;
    }

    friend class TrieBuilder;
    std::vector<Cell> cells_;
};

}  // namespace unitvec
