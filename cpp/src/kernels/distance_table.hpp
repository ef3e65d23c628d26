#pragma once
/// What a distance kernel looks like: pointers and sizes, nothing else. The sources built for one
/// instruction set include this header and no standard container, so that no inline function of
/// theirs, compiled for AVX, can be picked by the linker for the rest of the program.
#include <cstddef>
#include <cstdint>

namespace unitvec::kernels {

/// Compares one vector with one other, or with many rows of a row-major matrix.
///
/// Each result depends only on its two vectors: the same bits from `pair`, from `rows`, in any
/// company and with the arguments exchanged.
struct DistanceKernel {
    float (*pair)(const float* x, const float* y, std::size_t dim);
    /// out[i] = pair(query, base + rows[i] * dim) for i < count; rows == nullptr means 0, 1, 2, ...
    void (*rows)(const float* query, const float* base, std::size_t dim, const std::uint32_t* rows,
                 std::size_t count, float* out);
};

struct DistanceKernels {
    DistanceKernel dot;         ///< sum x * y
    DistanceKernel squared_l2;  ///< sum (x - y)^2
    DistanceKernel l1;          ///< sum |x - y|
};

extern const DistanceKernels kDistancePortable;
extern const DistanceKernels kDistanceAvx2;    // x86-64 only
extern const DistanceKernels kDistanceAvx512;  // x86-64 only

}  // namespace unitvec::kernels
