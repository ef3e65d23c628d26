#pragma once
/// How long a vector is.
#include <span>

namespace unitvec {

/// |x|^2, summed in double and in a fixed order: squares of float32 neither overflow there nor lose
/// the small ones beside the large.
[[nodiscard]] double squared_length(std::span<const float> x);
[[nodiscard]] double length(std::span<const float> x);

}  // namespace unitvec
