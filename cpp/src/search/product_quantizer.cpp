#include "search/product_quantizer.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "search/random.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kIterations = 12;
constexpr std::size_t kUsualWidth = 8, kLeastWidth = 4;
constexpr std::size_t kAtOnce = 4;  // codes added up side by side, to hide the latency of additions

/// The sums of so many codes, each in the order of its parts.
template <std::size_t Codes>
void add_up(const Matrix& table, const std::uint8_t* codes, float* sums) {
    const std::size_t m = table.rows();
    const float* products = table.data();
    std::array<float, Codes> total{};
    for (std::size_t p = 0; p < m; ++p, products += ProductQuantizer::kCentroids) {
        for (std::size_t i = 0; i < Codes; ++i) total[i] += products[codes[i * m + p]];
    }
    std::ranges::copy(total, sums);
}

}  // namespace

std::size_t ProductQuantizer::usual_m(std::size_t dim) {
    for (std::size_t width = kUsualWidth; width >= kLeastWidth; --width) {
        if (dim % width == 0) return dim / width;
    }
    return std::max<std::size_t>(1, dim / kUsualWidth);
}

ProductQuantizer::ProductQuantizer(std::size_t dim, std::size_t m)
    : dim_(dim), m_(m), kernels_(&kernels::distance_kernels().codes),
      centroids_(dim * kCentroids, 0.0F), minus_half_lengths_(m * kCentroids, 0.0F) {}

void ProductQuantizer::train(MatrixView<const float> vectors, const RunOptions& run) {
    draw(vectors);
    for (std::size_t i = 0; i < kIterations; ++i) {
        run.check();
        parallel_for(m_, 1, run.threads, [&](std::size_t part, std::size_t end) {
            for (; part < end; ++part) move_centroids(vectors, part, i * m_ + part);
        });
    }
}

/// The first centroids: the parts of 256 different vectors, where there are so many.
void ProductQuantizer::draw(MatrixView<const float> vectors) {
    std::vector<std::size_t> rows(vectors.rows);
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    Random random(rows.size());
    for (std::size_t c = 0; c < kCentroids; ++c) {
        const std::size_t at = c % rows.size();
        std::swap(rows[at], rows[at + random.below(rows.size() - at)]);
        const auto drawn = vectors.row(rows[at]);
        for (std::size_t j = 0; j < dim_; ++j) centroids_[j * kCentroids + c] = drawn[j];
    }
    for (std::size_t part = 0; part < m_; ++part) note_lengths(part);
}

/// To the mean of the vectors that each is nearest to; one that is nearest to none, to any vector.
void ProductQuantizer::move_centroids(MatrixView<const float> vectors, std::size_t part,
                                      std::uint64_t seed) {
    const std::size_t from = begin(part), count = width(part);
    std::vector<double> sums(kCentroids * count, 0.0);
    std::array<std::size_t, kCentroids> sizes{};
    for (std::size_t i = 0; i < vectors.rows; ++i) {
        const float* x = vectors.row(i).data() + from;
        const std::size_t code = nearest(x, part);
        for (std::size_t j = 0; j < count; ++j) sums[code * count + j] += x[j];
        ++sizes[code];
    }
    Random random(seed);
    for (std::size_t c = 0; c < kCentroids; ++c) {
        const auto any = vectors.row(random.below(vectors.rows));
        for (std::size_t j = 0; j < count; ++j) {
            centroids_[(from + j) * kCentroids + c] =
                sizes[c] == 0
                    ? any[from + j]
                    : static_cast<float>(sums[c * count + j] / static_cast<double>(sizes[c]));
        }
    }
    note_lengths(part);
}

void ProductQuantizer::note_lengths(std::size_t part) {
    float* lengths = minus_half_lengths_.data() + part * kCentroids;
    std::fill_n(lengths, kCentroids, 0.0F);
    for (std::size_t j = 0; j < width(part); ++j) {
        const float* row = columns(part) + j * kCentroids;
        for (std::size_t c = 0; c < kCentroids; ++c) lengths[c] -= 0.5F * row[c] * row[c];
    }
}

std::uint8_t ProductQuantizer::nearest(const float* x, std::size_t part) const {
    return kernels_->nearest(x, width(part), columns(part),
                             minus_half_lengths_.data() + part * kCentroids);
}

void ProductQuantizer::encode(const float* x, std::uint8_t* code) const {
    for (std::size_t part = 0; part < m_; ++part) code[part] = nearest(x + begin(part), part);
}

void ProductQuantizer::decode(const std::uint8_t* code, float* x) const {
    for (std::size_t part = 0; part < m_; ++part) {
        for (std::size_t j = begin(part); j < begin(part + 1); ++j) {
            x[j] = centroids_[j * kCentroids + code[part]];
        }
    }
}

Matrix ProductQuantizer::dot_table(const float* query) const {
    Matrix table(m_, kCentroids);
    for (std::size_t part = 0; part < m_; ++part) {
        kernels_->products(query + begin(part), width(part), columns(part), table.row(part).data());
    }
    return table;
}

void ProductQuantizer::restore(std::span<const float> centroids) {
    std::ranges::copy(centroids, centroids_.begin());
    for (std::size_t part = 0; part < m_; ++part) note_lengths(part);
}

std::size_t ProductQuantizer::bytes() const {
    return (centroids_.capacity() + minus_half_lengths_.capacity()) * sizeof(float);
}

void add_up_codes(const Matrix& table, const std::uint8_t* codes, std::size_t count, float* sums) {
    std::size_t i = 0;
    for (; i + kAtOnce <= count; i += kAtOnce) {
        add_up<kAtOnce>(table, codes + i * table.rows(), sums + i);
    }
    for (; i < count; ++i) add_up<1>(table, codes + i * table.rows(), sums + i);
}

}  // namespace unitvec
