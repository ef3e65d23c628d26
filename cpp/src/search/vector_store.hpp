#pragma once
/// The vectors of an index, and how two of them are compared.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/distance.hpp"
#include "unitvec/types.hpp"

namespace unitvec {

/// A growing row-major matrix on 64-byte boundaries.
class VectorStore {
public:
    VectorStore(std::size_t dim, Metric metric);

    /// @throws std::length_error above kMaxRows
    void append(MatrixView<const float> vectors);
    /// Keeps the first `rows` rows.
    void truncate(std::size_t rows);
    /// Keeps only these rows, which ascend, and numbers them anew in that order.
    void keep(std::span<const std::uint32_t> rows);

    [[nodiscard]] std::size_t rows() const { return rows_; }
    [[nodiscard]] std::size_t dim() const { return dim_; }
    [[nodiscard]] Metric metric() const { return metric_; }
    [[nodiscard]] MatrixView<const float> view() const { return {data_.data(), rows_, dim_}; }
    [[nodiscard]] const float* row(std::size_t i) const { return data_.data() + i * dim_; }
    /// Squared length of every row, in the metrics whose batches need it (dot, euclidean).
    [[nodiscard]] std::span<const float> squared_lengths() const { return squared_lengths_; }
    /// At least the squared length of every row; only where squared_lengths() are kept, else 1.
    [[nodiscard]] float largest_squared_length() const { return largest_squared_length_; }
    [[nodiscard]] std::size_t bytes() const;

    /// nearness[i] of the query to rows[i], or to row first + i where `rows` is nullptr.
    void compare(const float* query, const std::uint32_t* rows, std::size_t first,
                 std::size_t count, float* nearness) const;
    /// Nearness of two vectors: larger is nearer; Euclidean is the negated square.
    [[nodiscard]] float compare(const float* x, const float* y) const;

    /// FAISS numbers rows in 31 bits.
    static constexpr std::size_t kMaxRows = (std::size_t{1} << 31) - 1;

private:
    std::size_t dim_;
    Metric metric_;
    const kernels::DistanceKernel* kernel_;
    float sign_;  // of the kernel's value within nearness
    std::size_t rows_ = 0;
    AlignedVector<float> data_;
    std::vector<float> squared_lengths_;
    float largest_squared_length_ = 1.0F;
};

/// What users see: cosine and dot as they are, distances negated, the Euclidean one rooted.
[[nodiscard]] float score_of(Metric metric, float nearness);
/// The nearness at which a score begins: its inverse, rounded towards farther.
[[nodiscard]] float nearness_of(Metric metric, float score);

}  // namespace unitvec
