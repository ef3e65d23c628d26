#pragma once
/// Vectors that are functions of their ids, so that an answer can be checked by itself.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "support/random.hpp"
#include "unitvec/types.hpp"

namespace unitvec {

inline constexpr std::size_t kDim = 8;

/// Ends the program with a message.
inline void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::_Exit(1);
}

/// Of length 1, shape (kDim,).
inline std::vector<float> vector_of(Id id) {
    auto x = random_floats(kDim, static_cast<std::uint64_t>(id) + 1);
    double squares = 0.0;
    for (const float value : x) squares += static_cast<double>(value) * value;
    for (float& value : x) value /= static_cast<float>(std::sqrt(squares));
    return x;
}

/// Shape (ids, kDim).
inline std::vector<float> vectors_of(std::span<const Id> ids) {
    std::vector<float> rows;
    for (const Id id : ids) {
        const auto x = vector_of(id);
        rows.insert(rows.end(), x.begin(), x.end());
    }
    return rows;
}

inline MatrixView<const float> view(const std::vector<float>& rows) {
    return {rows.data(), rows.size() / kDim, kDim};
}

/// Every id is below `given`, its score is that of its vector, and the best come first.
inline void require_neighbours(std::span<const float> query, std::span<const Id> ids,
                               std::span<const float> scores, Id given, double tolerance) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
        require(ids[i] >= 0 && ids[i] < given, "as many as asked for are found, and were added");
        require(i == 0 || scores[i] <= scores[i - 1], "the best come first");
        double expected = 0.0;
        const auto x = vector_of(ids[i]);
        for (std::size_t j = 0; j < kDim; ++j) expected += double{x[j]} * query[j];
        require(std::fabs(expected - scores[i]) <= tolerance, "a score is its vector's");
    }
}

}  // namespace unitvec
