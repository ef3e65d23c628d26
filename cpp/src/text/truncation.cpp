#include "truncation.hpp"

#include <algorithm>
#include <string>

#include "unitvec/error.hpp"

namespace unitvec {
namespace {

/// Cuts the longer text first; where both are cut, the shorter one keeps the smaller half.
std::pair<std::size_t, std::size_t> longest_first(std::size_t first, std::size_t second,
                                                  std::size_t room) {
    const bool swapped = first > second;
    const auto shorter = std::min(first, second);
    auto kept_shorter = shorter;
    auto kept_longer = std::max(shorter, room - std::min(room, shorter));
    if (kept_shorter + kept_longer > room) {
        kept_shorter = room / 2;
        kept_longer = room - kept_shorter;
    }
    return swapped ? std::pair(kept_longer, kept_shorter) : std::pair(kept_shorter, kept_longer);
}

std::size_t cut(std::size_t tokens, std::size_t excess, const char* name) {
    if (tokens <= excess) {
        throw_invalid("encode",
                      std::string("a ") + name + " text of more than " + std::to_string(excess) +
                          " tokens to cut that many off",
                      std::to_string(tokens) + " tokens");
    }
    return tokens - excess;
}

}  // namespace

std::pair<std::size_t, std::size_t> kept_lengths(std::size_t first, std::size_t second, bool pair,
                                                 std::size_t room, TruncationStrategy strategy) {
    if (first + second <= room) return {first, second};
    const auto excess = first + second - room;
    switch (strategy) {
        case TruncationStrategy::longest_first:
            if (pair) return longest_first(first, second, room);
            break;
        case TruncationStrategy::only_first:
            if (pair) return {cut(first, excess, "first"), second};
            break;
        case TruncationStrategy::only_second:
            if (!pair) throw_invalid("encode", "a pair, to cut only its second text", "one text");
            return {first, cut(second, excess, "second")};
    }
    return {room, 0};
}

std::vector<Window> windows(std::size_t n, std::size_t length, std::size_t stride,
                            TruncationSide side) {
    if (n <= length) return {{0, n}};
    if (length == 0) return {{0, 0}, {0, n}};
    if (stride >= length) {
        throw_invalid("encode",
                      "a stride below the " + std::to_string(length) +
                          " tokens of this text that fit into a window",
                      std::to_string(stride));
    }
    std::vector<Window> out;
    const auto step = length - stride;
    for (std::size_t start = 0;; start += step) {
        const auto end = std::min(start + length, n);
        out.push_back(side == TruncationSide::right ? Window{start, end}
                                                    : Window{n - end, n - start});
        if (end == n) return out;
    }
}

}  // namespace unitvec
