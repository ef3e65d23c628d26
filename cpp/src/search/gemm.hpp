#pragma once
/// Single-precision matrix product, from the BLAS that the program is linked to.
#include "unitvec/types.hpp"

namespace unitvec {

/// out[i * stride + j] = a[i] . b[j]: shapes (n, dim) and (m, dim), `stride` >= m. Runs in the
/// calling thread alone; callers spread the work themselves. Not for empty matrices.
void multiply_transposed(MatrixView<const float> a, MatrixView<const float> b, float* out,
                         std::size_t stride);

}  // namespace unitvec
