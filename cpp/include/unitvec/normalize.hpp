#pragma once
/// Scaling vectors to length 1.
#include "unitvec/types.hpp"

namespace unitvec {

/// Scales every row to Euclidean length 1, so that a dot product is a cosine.
///
///   out[i] = in[i] / max(||in[i]||, 1e-12)        a zero row stays zero, never NaN
///
/// The length is summed in double, in a fixed order: a row gives the same bits alone and in any
/// matrix.
///
/// @param in   shape (n, dim), finite
/// @param out  shape (n, dim); may be the same memory as `in`
/// @throws std::invalid_argument if the shapes differ
///
/// O(n * dim) time, no allocation. Safe from many threads on distinct `out`.
void l2_normalize(MatrixView<const float> in, MatrixView<float> out);

}  // namespace unitvec
