#pragma once
/// How far 8-bit codes lie from the vectors they stand for.
#include "unitvec/types.hpp"

namespace unitvec {

struct CodingError {
    double distance = 0.0;  ///< the largest between a vector and its code
    double length = 0.0;    ///< of the longest vector
};

/// Both by the sum of absolute values under manhattan, else Euclidean; under cosine those of the
/// vectors scaled to length 1, as they are encoded.
/// @param codes  decoded, one row for each vector, which must not be zero under cosine
/// @throws std::invalid_argument if the shapes differ, or for a metric over bits
[[nodiscard]] CodingError coding_error(Metric metric, MatrixView<const float> vectors,
                                       MatrixView<const float> codes);

}  // namespace unitvec
