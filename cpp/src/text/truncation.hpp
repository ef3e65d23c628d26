#pragma once
/// Which tokens stay when a text or a pair is too long, and what becomes of the others.
#include <cstddef>
#include <utility>
#include <vector>

#include "unitvec/text/encoding.hpp"

namespace unitvec {

/// Tokens [begin, end) of a text.
struct Window {
    std::size_t begin, end;

    bool operator==(const Window&) const = default;
};

/// How many tokens the two texts keep, at most `room` together.
///
/// @param pair  false: there is no second text, and `second` is 0
/// @throws std::invalid_argument if the strategy cannot cut enough
[[nodiscard]] std::pair<std::size_t, std::size_t> kept_lengths(std::size_t first,
                                                               std::size_t second, bool pair,
                                                               std::size_t room,
                                                               TruncationStrategy strategy);

/// The windows of `length` tokens that together hold all n; the first one is what stays.
///
/// @param stride  tokens that a window shares with the one before it
/// @throws std::invalid_argument if there is more than one window and stride >= length > 0
[[nodiscard]] std::vector<Window> windows(std::size_t n, std::size_t length, std::size_t stride,
                                          TruncationSide side);

}  // namespace unitvec
