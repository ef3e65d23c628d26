#pragma once
/// bfloat16: the upper half of a float32.
#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

#include "unitvec/types.hpp"

namespace unitvec {

/// The nearest bfloat16 of every number, ties to even; NaN stays NaN.
inline AlignedVector<std::uint16_t> to_bfloat16(std::span<const float> values) {
    AlignedVector<std::uint16_t> halves(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        halves[i] = std::bit_cast<std::uint16_t>(Eigen::bfloat16(values[i]));
    }
    return halves;
}

/// The number itself, without loss.
inline float widened(std::uint16_t half) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

/// The same of every number.
inline AlignedVector<float> from_bfloat16(std::span<const std::uint16_t> halves) {
    AlignedVector<float> values(halves.size());
    std::ranges::transform(halves, values.begin(), widened);
    return values;
}

}  // namespace unitvec
