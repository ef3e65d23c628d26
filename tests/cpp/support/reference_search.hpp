#pragma once
/// Slow and obvious counterparts of the distances and of exact search, in double.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include "unitvec/types.hpp"

namespace reference {

using unitvec::MatrixView;
using unitvec::Metric;

inline double dot(std::span<const float> x, std::span<const float> y) {
    double sum = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(x[i]) * y[i];
    return sum;
}

inline double squared_l2(std::span<const float> x, std::span<const float> y) {
    double sum = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        sum += (static_cast<double>(x[i]) - y[i]) * (static_cast<double>(x[i]) - y[i]);
    }
    return sum;
}

inline double l1(std::span<const float> x, std::span<const float> y) {
    double sum = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += std::abs(static_cast<double>(x[i]) - y[i]);
    return sum;
}

/// Larger is nearer, for every metric.
inline double score(Metric metric, std::span<const float> x, std::span<const float> y) {
    switch (metric) {
        case Metric::cosine: {
            const double lengths = std::sqrt(dot(x, x) * dot(y, y));
            return lengths == 0.0 ? 0.0 : dot(x, y) / lengths;
        }
        case Metric::dot: return dot(x, y);
        case Metric::euclidean: return -std::sqrt(squared_l2(x, y));
        default: return -l1(x, y);
    }
}

/// The scores of the k nearest rows, best first.
inline std::vector<double> best_scores(Metric metric, MatrixView<const float> vectors,
                                       std::span<const float> query, std::size_t k) {
    std::vector<double> scores;
    for (std::size_t i = 0; i < vectors.rows; ++i) {
        scores.push_back(score(metric, query, vectors.row(i)));
    }
    std::ranges::sort(scores, std::greater<>());
    scores.resize(std::min(k, scores.size()));
    return scores;
}

}  // namespace reference
