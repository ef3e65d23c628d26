#include "search/vector_store.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "search/growth.hpp"
#include "search/row_codec.hpp"

namespace unitvec {
namespace {

const kernels::RealKernels* kernels_of(VectorType type) {
    const auto& kernels = kernels::distance_kernels();
    switch (type) {
        case VectorType::float32: return &kernels.float32;
        case VectorType::float16: return &kernels.float16;
        case VectorType::int8: return &kernels.int8;
        case VectorType::bits: return nullptr;
    }
    return nullptr;
}

const kernels::DistanceKernel& kernel_of(const kernels::RealKernels* numbers, Metric metric) {
    if (numbers == nullptr) return kernels::distance_kernels().hamming;
    switch (metric) {
        case Metric::euclidean: return numbers->squared_l2;
        case Metric::manhattan: return numbers->l1;
        default: return numbers->dot;
    }
}

kernels::IntegerKernels::Rows code_kernel_of(VectorType type, Metric metric, std::size_t dim) {
    const bool fits = dim <= kernels::IntegerKernels::kMostDim;
    if (type != VectorType::int8 || !has_products(metric) || !fits) return nullptr;
    const auto& codes = kernels::distance_kernels().integer;
    return metric == Metric::euclidean ? codes.squared_l2 : codes.dot;
}

bool is_distance(Metric metric) {
    return metric != Metric::cosine && metric != Metric::dot;
}

}  // namespace

VectorStore::VectorStore(std::size_t dim, Metric metric, VectorType type)
    : dim_(dim), metric_(metric), type_(type), row_bytes_(unitvec::row_bytes(type, dim)),
      numbers_(kernels_of(type)), kernel_(&kernel_of(numbers_, metric)),
      codes_(code_kernel_of(type, metric, dim)), sign_(is_distance(metric) ? -1.0F : 1.0F) {}

std::size_t VectorStore::query_cols() const {
    return type_ == VectorType::bits ? row_bytes_ / sizeof(float) : dim_;
}

void VectorStore::require_room(std::size_t rows) const {
    if (rows <= kMaxRows - rows_) return;
    throw std::length_error("[add] expected at most 2^31 - 1 vectors in an index");
}

void VectorStore::reserve(std::size_t rows) {
    if (rows > rows_) require_room(rows - rows_);
    data_.change([&](auto& bytes) { make_room(bytes, rows * row_bytes_); });
}

void VectorStore::append(MatrixView<const float> vectors) {
    require_room(vectors.rows);
    reserve(rows_ + vectors.rows);
    data_.change([&](auto& bytes) {
        bytes.resize((rows_ + vectors.rows) * row_bytes_);
        for (std::size_t i = 0; i < vectors.rows; ++i) {
            encode_row(type_, vectors.row(i), bytes.data() + (rows_ + i) * row_bytes_);
        }
    });
    rows_ += vectors.rows;
    note_lengths(rows_ - vectors.rows);
}

void VectorStore::append_rows(std::span<const std::byte> rows) {
    const std::size_t count = rows.size() / row_bytes_;
    require_room(count);
    reserve(rows_ + count);
    data_.change([&](auto& bytes) { bytes.insert(bytes.end(), rows.begin(), rows.end()); });
    rows_ += count;
    note_lengths(rows_ - count);
}

void VectorStore::map_rows(std::shared_ptr<const MappedFile> file,
                           std::span<const std::byte> rows) {
    const std::size_t count = rows.size() / row_bytes_;
    require_room(count);
    data_.map(std::move(file), rows);
    rows_ = count;
    note_lengths(0);
}

void VectorStore::note_lengths(std::size_t first) {
    const bool kept = metric_ == Metric::dot || metric_ == Metric::euclidean;
    const bool rounded = metric_ == Metric::cosine && type_ != VectorType::float32;
    if (!kept && !rounded) return;
    if (kept) make_room(squared_lengths_, rows_);
    for (std::size_t i = first; i < rows_; ++i) {
        const float squared = numbers_->dot.pair(row(i), row(i), dim_);
        largest_squared_length_ = std::max(largest_squared_length_, squared);
        if (kept) squared_lengths_.push_back(squared);
    }
}

void VectorStore::own() {
    data_.change([](auto&) {});
}

void VectorStore::truncate(std::size_t rows) {
    rows_ = std::min(rows, rows_);
    data_.change([&](auto& bytes) { bytes.resize(rows_ * row_bytes_); });
    if (!squared_lengths_.empty()) squared_lengths_.resize(rows_);
}

void VectorStore::keep(std::span<const std::uint32_t> rows) {
    data_.change([&](auto& bytes) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            std::memmove(bytes.data() + i * row_bytes_, bytes.data() + rows[i] * row_bytes_,
                         row_bytes_);
            if (!squared_lengths_.empty()) squared_lengths_[i] = squared_lengths_[rows[i]];
        }
    });
    truncate(rows.size());
    data_.change([](auto& bytes) { bytes.shrink_to_fit(); });
}

MatrixView<const float> VectorStore::numbers(std::size_t first, std::size_t count,
                                             float* room) const {
    if (type_ == VectorType::float32) {
        return {reinterpret_cast<const float*>(row(first)), count, dim_};
    }
    for (std::size_t i = 0; i < count; ++i) {
        widen(first + i, room + i * dim_);
    }
    return {room, count, dim_};
}

std::size_t VectorStore::bytes() const {
    return data_.owned() + squared_lengths_.capacity() * sizeof(float);
}

/// Kernels give distances under the metrics that are such.
void VectorStore::turn_to_nearness(float* values, std::size_t count) const {
    if (sign_ > 0.0F) return;
    for (std::size_t i = 0; i < count; ++i) values[i] = -values[i];
}

void VectorStore::compare(const float* query, const std::uint32_t* rows, std::size_t first,
                          std::size_t count, float* nearness) const {
    kernel_->rows(query, row(first), dim_, rows, count, nearness);
    turn_to_nearness(nearness, count);
}

void VectorStore::compare_stored(const std::byte* stored, const std::uint32_t* rows,
                                 std::size_t count, float* nearness) const {
    kernel_->stored(stored, data_.data(), dim_, rows, count, nearness);
    turn_to_nearness(nearness, count);
}

void VectorStore::compare_codes(const std::byte* coded, const std::uint32_t* rows,
                                std::size_t first, std::size_t count, float* nearness) const {
    codes_(coded, row(first), dim_, rows, count, nearness);
    turn_to_nearness(nearness, count);
}

float VectorStore::compare(const std::byte* x, const std::byte* y) const {
    return sign_ * kernel_->pair(x, y, dim_);
}

float score_of(Metric metric, float nearness) {
    // 0 - x rather than -x: the distance of equal vectors is not shown as -0.
    if (metric == Metric::euclidean) return 0.0F - std::sqrt(0.0F - nearness);
    return nearness + 0.0F;
}

float nearness_of(Metric metric, float score) {
    if (metric != Metric::euclidean) return score;
    if (score > 0.0F) return std::numeric_limits<float>::infinity();  // no distance is below 0
    return std::nextafter(-score * score, -std::numeric_limits<float>::infinity());
}

}  // namespace unitvec
