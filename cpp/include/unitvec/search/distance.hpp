#pragma once
/// Every row of one matrix compared with every row of another.
///
/// @param a    shape (n, dim), finite
/// @param b    shape (m, dim), finite
/// @param out  shape (n, m), not overlapping a or b; out[i][j] compares a[i] with b[j]
/// @throws std::invalid_argument if the dimensions differ or `out` has another shape
///
/// O(n * m * dim) time, spread over default_threads() when large. Safe from many threads on
/// distinct `out`.
#include "unitvec/types.hpp"

namespace unitvec {

/// out[i][j] = a[i] . b[j]
void dot(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> out);

/// out[i][j] = a[i] . b[j] / (|a[i]| |b[j]|), in [-1, 1]; 0 where either vector is zero
void cosine(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> out);

/// out[i][j] = sqrt(sum (a[i] - b[j])^2); from differences, so that equal vectors give exactly 0
void euclidean(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> out);

/// out[i][j] = sum |a[i] - b[j]|
void manhattan(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> out);

/// Degrees between a[i] and b[j], in [0, 180]; 90 where either vector is zero, as its cosine is 0.
///
///   out[i][j] = 2 atan2(|u - v|, |u + v|)    with u, v of length 1
///
/// which keeps small angles that arccos of a rounded cosine loses (W. Kahan, "How Futile are
/// Mindless Assessments of Roundoff in Floating-Point Computation?", section 12).
void angle(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> out);

}  // namespace unitvec
