#pragma once
/// Room for arrays that grow by pieces.
#include <algorithm>
#include <cstddef>

namespace unitvec {

/// Reserves room for n elements, or for a quarter more than there is room for, whichever is more:
/// the array is copied once in a while, and at most a fifth of its memory lies idle. std::vector
/// would leave up to a half.
template <typename Array>
void make_room(Array& array, std::size_t n) {
    const std::size_t room = array.capacity();
    if (n > room) array.reserve(std::max(n, room + room / 4));
}

}  // namespace unitvec
