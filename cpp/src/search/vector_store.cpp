#include "search/vector_store.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace unitvec {
namespace {

const kernels::DistanceKernel& kernel_of(Metric metric) {
    const auto& kernels = kernels::distance_kernels();
    switch (metric) {
        case Metric::euclidean: return kernels.squared_l2;
        case Metric::manhattan: return kernels.l1;
        default: return kernels.dot;
    }
}

bool is_distance(Metric metric) {
    return metric == Metric::euclidean || metric == Metric::manhattan;
}

}  // namespace

VectorStore::VectorStore(std::size_t dim, Metric metric)
    : dim_(dim), metric_(metric), kernel_(&kernel_of(metric)),
      sign_(is_distance(metric) ? -1.0F : 1.0F) {}

void VectorStore::append(MatrixView<const float> vectors) {
    if (vectors.rows > kMaxRows - rows_) {
        throw std::length_error("[add] expected at most 2^31 - 1 vectors in an index");
    }
    data_.insert(data_.end(), vectors.data, vectors.data + vectors.size());
    if (metric_ == Metric::dot || metric_ == Metric::euclidean) {
        const auto& dot = kernels::distance_kernels().dot;
        for (std::size_t i = 0; i < vectors.rows; ++i) {
            const float* row = vectors.row(i).data();
            squared_lengths_.push_back(dot.pair(row, row, dim_));
            largest_squared_length_ = std::max(largest_squared_length_, squared_lengths_.back());
        }
    }
    rows_ += vectors.rows;
}

void VectorStore::truncate(std::size_t rows) {
    rows_ = std::min(rows, rows_);
    data_.resize(rows_ * dim_);
    if (!squared_lengths_.empty()) squared_lengths_.resize(rows_);
}

void VectorStore::keep(std::span<const std::uint32_t> rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::copy_n(row(rows[i]), dim_, data_.data() + i * dim_);
        if (!squared_lengths_.empty()) squared_lengths_[i] = squared_lengths_[rows[i]];
    }
    truncate(rows.size());
    data_.shrink_to_fit();
}

std::size_t VectorStore::bytes() const {
    return (data_.capacity() + squared_lengths_.capacity()) * sizeof(float);
}

void VectorStore::compare(const float* query, const std::uint32_t* rows, std::size_t first,
                          std::size_t count, float* nearness) const {
    kernel_->rows(query, row(first), dim_, rows, count, nearness);
    if (sign_ < 0.0F) {
        for (std::size_t i = 0; i < count; ++i) nearness[i] = -nearness[i];
    }
}

float VectorStore::compare(const float* x, const float* y) const {
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
