#pragma once
/// A bit for each number of a row: enough to leave most rows that a walk meets alone.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/distance.hpp"
#include "search/rotation.hpp"
#include "search/vector_store.hpp"

namespace unitvec {

/// Sketches of the rows of a store, and where they are measured from.
///
/// A row x, its distance from a centre c being N, is kept as the signs b of P (x - c), with P a
/// rotation, and as f = N / (b . P (x - c) / N). For any vector v then f b . P v is (x - c) . v but
/// for an error, of mean 0 over all rotations, and of a standard deviation of about 0.6 |v| f (Gao
/// and Long 2024, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound for
/// Approximate Nearest Neighbor Search", theorem 3.2). With v = q - c follows nearness to a query
/// q: under dot and cosine c . q + c . (x - c) + (x - c) . v, under euclidean -(|v|^2 + N^2 - 2 (x
/// - c) . v).
class RowSketches {
public:
    /// Rows whose mean is the centre; before there are so many, there are no sketches.
    static constexpr std::size_t kCentreRows = 256;

    /// Whether sketches of these rows tell much: not of short vectors.
    [[nodiscard]] static bool are_worth(const VectorStore& store);

    /// @param dim  of a store that they are worth it for
    RowSketches(std::size_t dim, Metric metric);

    /// Makes the sketches of rows [rows(), store.rows()).
    void extend(const VectorStore& store, std::size_t threads);
    /// Forgets those of rows from `rows` on.
    void truncate(std::size_t rows);

    /// Takes over what centre() and first() of the same store's rows were.
    void restore(std::span<const float> centre, std::span<const std::byte> sketches);

    [[nodiscard]] std::span<const float> centre() const { return centre_; }
    /// Those of the first `rows` rows, one after the other.
    [[nodiscard]] std::span<const std::byte> first(std::size_t rows) const {
        return std::span(sketches_).first(rows * stride_);
    }
    [[nodiscard]] std::size_t rows() const { return sketches_.size() / stride_; }
    [[nodiscard]] std::size_t bytes() const { return sketches_.capacity(); }
    [[nodiscard]] const std::byte* sketch(std::uint32_t row) const {
        return sketches_.data() + row * stride_;
    }

private:
    friend class SketchTarget;

    void find_centre(const VectorStore& store);
    void write(const VectorStore& store, std::size_t row, float* x, float* room);
    [[nodiscard]] kernels::SketchHead head(const float* x, const std::uint64_t* bits,
                                           double along_centre) const;

    std::size_t dim_;
    Metric metric_;
    std::size_t stride_;
    const kernels::DistanceKernels& kernels_;
    Rotation rotation_;
    std::vector<float> centre_;  // empty before there are sketches
    AlignedVector<std::byte> sketches_;
};

/// What sketches are compared with: a vector, its numbers rotated and rounded to four bits.
class SketchTarget {
public:
    /// @param vector  `dim` numbers, as they are stored (cosine: of length 1)
    SketchTarget(const RowSketches& sketches, const float* vector);

    /// nearness[i]: about as near as rows[i] can be; of few rows less than it is.
    void estimate(const std::uint32_t* rows, std::size_t count, float* nearness) const;

private:
    void round(const float* rotated);

    const RowSketches& sketches_;
    kernels::SketchedVector vector_{};
    std::vector<std::uint64_t> planes_;
};

}  // namespace unitvec
