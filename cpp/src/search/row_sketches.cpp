#include "search/row_sketches.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "search/growth.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

using kernels::kSketchPlanes;
using kernels::SketchHead;

// The error of an estimate falls with the root of the length.
constexpr std::size_t kLeastSketched = 96;
constexpr std::size_t kGrain = 64;  // rows that a thread sketches at a time
constexpr std::size_t kBits = 64;   // of a word

// |x| = 1 rotated at random: the signs' share of it, the mean of |normal|, is sqrt(2 / pi); the
// rest, of which they tell nothing, is the root of 1 - 2 / pi.
constexpr double kUntold = 0.6028;

// How many standard deviations an estimate is raised by, so that few rows that matter are left
// alone: of sentences, one in a hundred walks finds one row less.
constexpr double kDeviations = 1.3;

constexpr float kMiddle = ((1U << kSketchPlanes) - 1) / 2.0F;  // of a plane's levels

std::size_t words_of(std::size_t dim) {
    return (dim + kBits - 1) / kBits;
}

/// Sums term(j), in as many parts as there is no waiting between additions.
template <typename Term>
double sum_of(std::size_t dim, const Term& term) {
    constexpr std::size_t kParts = 16;
    std::array<float, kParts> parts{};
    std::size_t j = 0;
    for (; j + kParts <= dim; j += kParts) {
        for (std::size_t p = 0; p < kParts; ++p) parts[p] += term(j + p);
    }
    for (; j < dim; ++j) parts[j % kParts] += term(j);
    return std::accumulate(parts.begin(), parts.end(), 0.0);
}

double product(const float* x, const float* y, std::size_t dim) {
    return sum_of(dim, [=](std::size_t j) { return x[j] * y[j]; });
}

}  // namespace

bool RowSketches::are_worth(const VectorStore& store) {
    return has_products(store.metric()) && store.dim() >= kLeastSketched;
}

RowSketches::RowSketches(std::size_t dim, Metric metric)
    : dim_(dim), metric_(metric), stride_(kernels::sketch_row(dim)),
      kernels_(kernels::distance_kernels()), rotation_(dim) {}

void RowSketches::truncate(std::size_t rows) {
    if (rows < this->rows()) sketches_.resize(rows * stride_);
}

void RowSketches::extend(const VectorStore& store, std::size_t threads) {
    if (centre_.empty()) {
        if (store.rows() < kCentreRows) return;
        find_centre(store);
    }
    const std::size_t first = rows();
    make_room(sketches_, std::max(store.room(), store.rows()) * stride_);
    sketches_.resize(store.rows() * stride_);
    parallel_for(store.rows() - first, kGrain, threads, [&](std::size_t begin, std::size_t end) {
        std::vector<float> x(dim_), room(rotation_.room());
        for (std::size_t i = begin; i < end; ++i) write(store, first + i, x.data(), room.data());
    });
}

/// The mean of the first rows: any point is right, one amid the rows leaves the least error.
void RowSketches::find_centre(const VectorStore& store) {
    std::vector<double> sum(dim_, 0.0);
    std::vector<float> x(dim_);
    for (std::size_t row = 0; row < kCentreRows; ++row) {
        store.widen(row, x.data());
        for (std::size_t j = 0; j < dim_; ++j) sum[j] += static_cast<double>(x[j]);
    }
    std::vector<float> centre(dim_);
    for (std::size_t j = 0; j < dim_; ++j) {
        centre[j] = static_cast<float>(sum[j] / static_cast<double>(kCentreRows));
    }
    centre_ = std::move(centre);
}

void RowSketches::restore(std::span<const float> centre, std::span<const std::byte> sketches) {
    centre_.assign(centre.begin(), centre.end());
    sketches_.assign(sketches.begin(), sketches.end());
}

void RowSketches::write(const VectorStore& store, std::size_t row, float* x, float* room) {
    store.widen(row, x);
    for (std::size_t j = 0; j < dim_; ++j) x[j] -= centre_[j];
    const double along_centre = product(x, centre_.data(), dim_);
    rotation_.apply(x, room);
    std::byte* to = sketches_.data() + row * stride_;
    std::fill(to, to + stride_, std::byte{0});
    auto* words = reinterpret_cast<std::uint64_t*>(to + sizeof(SketchHead));
    for (std::size_t j = 0; j < dim_; ++j) {
        words[j / kBits] |= std::uint64_t{x[j] > 0.0F} << (j % kBits);
    }
    const SketchHead first = head(x, words, along_centre);
    std::memcpy(to, &first, sizeof(first));
}

SketchHead RowSketches::head(const float* x, const std::uint64_t* bits, double along_centre) const {
    const double square = product(x, x, dim_);
    const double along = sum_of(dim_, [=](std::size_t j) { return std::fabs(x[j]); });
    double set = 0.0;
    for (std::size_t i = 0; i < words_of(dim_); ++i) set += std::popcount(bits[i]);
    SketchHead head{};
    if (along > 0.0) {
        const double factor = square / along;
        head.factor = static_cast<float>(factor);
        head.tilt = static_cast<float>(factor * (2.0 * set - static_cast<double>(dim_)));
    }
    head.away = static_cast<float>(metric_ == Metric::euclidean ? square : -along_centre);
    return head;
}

SketchTarget::SketchTarget(const RowSketches& sketches, const float* vector)
    : sketches_(sketches), planes_(kSketchPlanes * words_of(sketches.dim_)) {
    const std::size_t dim = sketches.dim_;
    const auto& centre = sketches.centre_;
    std::vector<float> x(vector, vector + dim), room(sketches.rotation_.room());
    const double weight = sketches.metric_ == Metric::euclidean ? 2.0 : 1.0;
    for (std::size_t j = 0; j < dim; ++j) x[j] -= centre[j];
    vector_.nearness = sketches.metric_ == Metric::euclidean ? -product(x.data(), x.data(), dim)
                                                             : product(vector, centre.data(), dim);
    sketches.rotation_.apply(x.data(), room.data());
    vector_.planes = planes_.data();
    vector_.words = words_of(dim);
    vector_.stride = sketches.stride_;
    round(x.data());
    vector_.step *= weight;
    vector_.middle = kMiddle * vector_.step;
    vector_.raise = weight * kDeviations * kUntold * std::sqrt(product(x.data(), x.data(), dim));
}

/// Numbers as steps around 0: level - kMiddle of them, levels being those of the planes.
void SketchTarget::round(const float* rotated) {
    const std::size_t dim = sketches_.dim_;
    float largest = 0.0F;
    for (std::size_t j = 0; j < dim; ++j) largest = std::max(largest, std::fabs(rotated[j]));
    vector_.step = static_cast<double>(largest / kMiddle);
    const float per_number = largest > 0.0F ? kMiddle / largest : 0.0F;
    std::uint32_t sum = 0;
    for (std::size_t j = 0; j < dim; ++j) {
        const float level = rotated[j] * per_number + kMiddle + 0.5F;
        const auto whole = static_cast<std::uint32_t>(std::clamp(level, 0.0F, 2.0F * kMiddle));
        sum += whole;
        for (std::size_t p = 0; p < kSketchPlanes; ++p) {
            const std::uint64_t bit = whole >> p & 1U;
            planes_[j / kBits * kSketchPlanes + p] |= bit << (j % kBits);
        }
    }
    vector_.levels = sum;
}

void SketchTarget::estimate(const std::uint32_t* rows, std::size_t count, float* nearness) const {
    sketches_.kernels_.sketches(vector_, sketches_.sketches_.data(), rows, count, nearness);
}

}  // namespace unitvec
