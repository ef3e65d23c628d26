#pragma once
/// The vectors of an index, and how two of them are compared.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/distance.hpp"
#include "search/row_bytes.hpp"
#include "unitvec/search/vector_type.hpp"
#include "unitvec/types.hpp"

namespace unitvec {

/// Whether nearness follows from a dot product: of cosine, dot and euclidean. Only there can a
/// matrix product nominate the nearest, are centroids near to what is near to their vectors, and
/// have rows codes.
[[nodiscard]] inline bool has_products(Metric metric) {
    return metric != Metric::manhattan && metric != Metric::hamming;
}

/// A growing row-major matrix on 64-byte boundaries, its rows as row_codec.hpp writes them.
///
/// A query is a row of float32 numbers; under Metric::hamming it is a stored row, whose bytes a
/// Matrix with query_cols() columns carries without ever reading them as numbers.
class VectorStore {
public:
    /// @param type  bits under Metric::hamming and only there
    VectorStore(std::size_t dim, Metric metric, VectorType type = VectorType::float32);

    /// Makes room for that many rows in all. @throws std::length_error above kMaxRows
    void reserve(std::size_t rows);
    /// @param vectors  (n, query_cols()): of numbers, or of rows of bits
    /// @throws std::length_error above kMaxRows
    void append(MatrixView<const float> vectors);
    /// Appends rows that are encoded already. @throws std::length_error above kMaxRows
    void append_rows(std::span<const std::byte> rows);
    /// Takes over rows that are encoded in a file, in place; the store was empty.
    /// @throws std::length_error above kMaxRows
    void map_rows(std::shared_ptr<const MappedFile> file, std::span<const std::byte> rows);
    /// Copies rows that lie in a file into memory.
    void own();
    /// Keeps the first `rows` rows.
    void truncate(std::size_t rows);
    /// Keeps only these rows, which ascend, and numbers them anew in that order.
    void keep(std::span<const std::uint32_t> rows);

    [[nodiscard]] std::size_t rows() const { return rows_; }
    /// Rows that fit into the memory there is.
    [[nodiscard]] std::size_t room() const { return std::max(rows_, data_.owned() / row_bytes_); }
    [[nodiscard]] std::size_t dim() const { return dim_; }
    [[nodiscard]] Metric metric() const { return metric_; }
    [[nodiscard]] VectorType type() const { return type_; }
    [[nodiscard]] std::size_t row_bytes() const { return row_bytes_; }
    [[nodiscard]] std::size_t query_cols() const;

    [[nodiscard]] std::span<const std::byte> encoded() const { return data_.view(); }
    [[nodiscard]] const std::byte* row(std::size_t i) const {
        return data_.data() + i * row_bytes_;
    }
    /// The numbers of rows [first, first + count), shape (count, dim): where they lie, or widened
    /// into `room`, which has as many. Not of bits.
    [[nodiscard]] MatrixView<const float> numbers(std::size_t first, std::size_t count,
                                                  float* room) const;

    /// out = the numbers of a row, (dim). Not of bits.
    void widen(std::size_t i, float* out) const { numbers_->widen(row(i), dim_, out); }

    /// Squared length of every row, in the metrics whose batches need it (dot, euclidean).
    [[nodiscard]] std::span<const float> squared_lengths() const { return squared_lengths_; }
    /// At least the squared length of every row, in the metrics that have products.
    [[nodiscard]] float largest_squared_length() const { return largest_squared_length_; }
    [[nodiscard]] std::size_t bytes() const;                                   ///< of memory
    [[nodiscard]] std::size_t mapped_bytes() const { return data_.mapped(); }  ///< of a file

    /// nearness[i] of the query to rows[i], or to row first + i where `rows` is nullptr.
    void compare(const float* query, const std::uint32_t* rows, std::size_t first,
                 std::size_t count, float* nearness) const;
    /// The same of a stored row in place of the query.
    void compare_stored(const std::byte* row, const std::uint32_t* rows, std::size_t count,
                        float* nearness) const;
    /// Whether rows are codes: of int8 numbers, in a metric that has products.
    [[nodiscard]] bool has_codes() const { return codes_ != nullptr; }
    /// nearness[i] of a row of codes, stored or not, to the rows that compare() takes, in whole
    /// numbers: quicker than compare_stored(), to which it is equal but for rounding. Only where
    /// has_codes().
    void compare_codes(const std::byte* row, const std::uint32_t* rows, std::size_t first,
                       std::size_t count, float* nearness) const;
    /// Nearness of two stored rows: larger is nearer; Euclidean is the negated square.
    [[nodiscard]] float compare(const std::byte* x, const std::byte* y) const;

    /// FAISS numbers rows in 31 bits.
    static constexpr std::size_t kMaxRows = (std::size_t{1} << 31) - 1;

private:
    void require_room(std::size_t rows) const;
    void turn_to_nearness(float* values, std::size_t count) const;
    void note_lengths(std::size_t first);

    std::size_t dim_;
    Metric metric_;
    VectorType type_;
    std::size_t row_bytes_;
    const kernels::RealKernels* numbers_;  // nullptr for bits
    const kernels::DistanceKernel* kernel_;
    kernels::IntegerKernels::Rows codes_;  // nullptr where rows are none
    float sign_;                           // of the kernel's value within nearness
    std::size_t rows_ = 0;
    RowBytes data_;
    std::vector<float> squared_lengths_;
    float largest_squared_length_ = 1.0F;
};

/// What users see: cosine and dot as they are, distances negated, the Euclidean one rooted.
[[nodiscard]] float score_of(Metric metric, float nearness);
/// The nearness at which a score begins: its inverse, rounded towards farther.
[[nodiscard]] float nearness_of(Metric metric, float score);

}  // namespace unitvec
