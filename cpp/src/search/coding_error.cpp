#include "unitvec/search/coding_error.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <vector>

namespace unitvec {
namespace {

/// The sum of term(scale * x[i] - y[i]).
template <typename Term>
double sum(std::span<const float> x, double scale, const float* y, Term term) {
    constexpr std::size_t kLanes = 8;
    double lanes[kLanes] = {};
    std::size_t i = 0;
    for (; i + kLanes <= x.size(); i += kLanes) {
        for (std::size_t j = 0; j < kLanes; ++j) {
            lanes[j] += term(scale * static_cast<double>(x[i + j]) - static_cast<double>(y[i + j]));
        }
    }
    double total = 0.0;
    for (; i < x.size(); ++i) {
        total += term(scale * static_cast<double>(x[i]) - static_cast<double>(y[i]));
    }
    for (const double lane : lanes) total += lane;
    return total;
}

double square(double x) {
    return x * x;
}
double magnitude(double x) {
    return std::abs(x);
}

}  // namespace

CodingError coding_error(Metric metric, MatrixView<const float> vectors,
                         MatrixView<const float> codes) {
    if (metric == Metric::hamming || vectors.rows != codes.rows || vectors.cols != codes.cols) {
        throw std::invalid_argument("expected a code for each vector of numbers");
    }
    CodingError error;
    const std::vector<float> nothing(vectors.cols, 0.0F);
    for (std::size_t i = 0; i < vectors.rows; ++i) {
        const auto vector = vectors.row(i);
        const float* const code = codes.row(i).data();
        if (metric == Metric::manhattan) {
            error.length = std::max(error.length, sum(vector, 1.0, nothing.data(), magnitude));
            error.distance = std::max(error.distance, sum(vector, 1.0, code, magnitude));
            continue;
        }
        const double length = std::sqrt(sum(vector, 1.0, nothing.data(), square));
        const bool is_scaled = metric == Metric::cosine;
        const double scale = is_scaled ? 1.0 / length : 1.0;
        error.length = std::max(error.length, is_scaled ? 1.0 : length);
        error.distance = std::max(error.distance, std::sqrt(sum(vector, scale, code, square)));
    }
    return error;
}

}  // namespace unitvec
