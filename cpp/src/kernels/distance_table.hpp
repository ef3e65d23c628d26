#pragma once
/// What a distance kernel looks like: pointers and sizes, nothing else. The sources built for one
/// instruction set include this header and no standard container, so that no inline function of
/// theirs, compiled for AVX, can be picked by the linker for the rest of the program.
#include <cstddef>
#include <cstdint>

namespace unitvec::kernels {

/// Bytes of a stored row of `dim` numbers. Every row begins on 4 bytes, one of bits on 8.
constexpr std::size_t float32_row(std::size_t dim) {
    return 4 * dim;
}
constexpr std::size_t float16_row(std::size_t dim) {
    return (2 * dim + 3) / 4 * 4;
}
/// A float32 scale s, then a whole number c from -127 to 127 for each component s c.
constexpr std::size_t int8_row(std::size_t dim) {
    return 4 + (dim + 3) / 4 * 4;
}
/// @param dim  a multiple of 8
constexpr std::size_t bits_row(std::size_t dim) {
    return (dim / 8 + 7) / 8 * 8;
}

/// Compares vectors, one pair or one with many rows of a row-major matrix, in one way of storing
/// them. "Query" means a vector as a search brings it: float32, or bits as they are stored.
///
/// Each result depends only on the two vectors' values: the same bits from every function here, in
/// any company and with the arguments exchanged.
struct DistanceKernel {
    /// Of two stored rows.
    float (*pair)(const void* x, const void* y, std::size_t dim);
    /// out[i] of the query and the row base[rows[i]], i < count; rows == nullptr: 0, 1, 2, ...
    void (*rows)(const void* query, const void* base, std::size_t dim, const std::uint32_t* rows,
                 std::size_t count, float* out);
    /// The same of a stored row in place of the query.
    void (*stored)(const void* row, const void* base, std::size_t dim, const std::uint32_t* rows,
                   std::size_t count, float* out);
};

/// The kernels of one way of storing real numbers.
struct RealKernels {
    DistanceKernel dot;         ///< sum x * y
    DistanceKernel squared_l2;  ///< sum (x - y)^2
    DistanceKernel l1;          ///< sum |x - y|
    /// out[j] = the row's numbers as float32
    void (*widen)(const void* row, std::size_t dim, float* out);
};

/// Compares int8 rows with each other in whole numbers, quicker than RealKernels and as near to
/// what the rows stand for as float32 comes. The same bits whatever the company and the order.
struct IntegerKernels {
    /// out[i] of the row `x` and the row base[rows[i]], i < count; rows == nullptr: 0, 1, 2, ...
    using Rows = void (*)(const void* x, const void* base, std::size_t dim,
                          const std::uint32_t* rows, std::size_t count, float* out);
    Rows dot;
    Rows squared_l2;

    /// Sums of longer rows could leave 32 bits: 127 * 127 * 2^17 < 2^31.
    static constexpr std::size_t kMostDim = std::size_t{1} << 17;
};

/// Centroids of each part of a product quantiser: a code of a part is one byte.
inline constexpr std::size_t kCodeCentroids = 256;

/// A part of a vector, x[width], against the centroids of that part: the columns of a matrix of
/// shape (width, 256).
struct CodeKernels {
    /// out[c] = x . column c
    void (*products)(const float* x, std::size_t width, const float* centroids, float* out);
    /// The column nearest to x in space, of equally near ones the first.
    /// @param minus_half_lengths  of each column, -|column|^2 / 2
    std::uint8_t (*nearest)(const float* x, std::size_t width, const float* centroids,
                            const float* minus_half_lengths);
};

/// Bits of a whole number from 0 that stands for one of a vector's numbers.
inline constexpr std::size_t kSketchPlanes = 4;

/// What stands before the bits of a row; see search/row_sketches.hpp.
struct SketchHead {
    float factor;  ///< f
    float tilt;    ///< f times the number of set bits less that of the others
    float away;    ///< under Metric::euclidean N^2, else -c . (x - c)
    float unused;
};

/// Bytes of the sketch of a row of `dim` numbers: it lies in one line of the cache, or begins one.
constexpr std::size_t sketch_row(std::size_t dim) {
    const std::size_t bytes = sizeof(SketchHead) + (dim + 63) / 64 * 8;
    return bytes <= 32 ? 32 : (bytes + 63) / 64 * 64;
}

/// A vector that is compared with sketches. Nearness to a row is about nearness - away -
/// middle * tilt + factor * (step * (2 * (its levels where bits are set) - levels) + raise).
struct SketchedVector {
    const std::uint64_t* planes;  ///< (words, kSketchPlanes): the levels' bits, lowest first
    std::size_t words;
    std::size_t stride;  ///< bytes of a sketch
    double nearness;
    double middle;
    double step;
    double levels;  ///< the sum of all
    double raise;
};

struct DistanceKernels {
    RealKernels float32;
    RealKernels float16;
    RealKernels int8;
    DistanceKernel hamming;  ///< number of bits that differ
    IntegerKernels integer;  ///< of int8 rows
    CodeKernels codes;
    /// out[i] of the sketch base[rows[i]], i < count.
    void (*sketches)(const SketchedVector& x, const void* base, const std::uint32_t* rows,
                     std::size_t count, float* out);
    /// Writes the ascending positions of the numbers that are at least `threshold`, not NaN.
    /// @param positions  room for `count`
    /// @returns how many they are
    std::size_t (*at_least)(const float* x, std::size_t count, float threshold,
                            std::uint32_t* positions);
};

extern const DistanceKernels kDistancePortable;
extern const DistanceKernels kDistanceAvx2;    // x86-64 only
extern const DistanceKernels kDistanceAvx512;  // x86-64 only

}  // namespace unitvec::kernels
