#include "unitvec/search/coding_error.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "search/double_sum.hpp"

namespace unitvec {
namespace {

double squares(std::size_t n, const auto& term) {
    return double_sum(n, [&](std::size_t j) { return term(j) * term(j); });
}
double magnitudes(std::size_t n, const auto& term) {
    return double_sum(n, [&](std::size_t j) { return std::abs(term(j)); });
}

}  // namespace

CodingError coding_error(Metric metric, MatrixView<const float> vectors,
                         MatrixView<const float> codes) {
    if (metric == Metric::hamming || vectors.rows != codes.rows || vectors.cols != codes.cols) {
        throw std::invalid_argument("expected a code for each vector of numbers");
    }
    CodingError error;
    const std::size_t dim = vectors.cols;
    for (std::size_t i = 0; i < vectors.rows; ++i) {
        const auto vector = vectors.row(i), code = codes.row(i);
        const auto value = [&](std::size_t j) { return static_cast<double>(vector[j]); };
        double scale = 1.0;
        const auto off = [&](std::size_t j) {
            return scale * value(j) - static_cast<double>(code[j]);
        };
        if (metric == Metric::manhattan) {
            error.length = std::max(error.length, magnitudes(dim, value));
            error.distance = std::max(error.distance, magnitudes(dim, off));
            continue;
        }
        double length = std::sqrt(squares(dim, value));
        if (metric == Metric::cosine) {
            scale = 1.0 / length;
            length = 1.0;
        }
        error.length = std::max(error.length, length);
        error.distance = std::max(error.distance, std::sqrt(squares(dim, off)));
    }
    return error;
}

}  // namespace unitvec
