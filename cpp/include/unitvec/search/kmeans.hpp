#pragma once
/// k-means clustering (Lloyd 1982).
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "unitvec/types.hpp"

namespace unitvec {

struct KMeansOptions {
    std::size_t k = 8;
    std::size_t iterations = 25;  ///< at most; fewer where no label changes any more
    /// Centroids of length 1, and labels by the largest dot product: for directions (Dhillon and
    /// Modha 2001).
    bool spherical = false;
    /// The first centroids are vectors drawn as k-means++ draws them (Arthur and Vassilvitskii
    /// 2007), far apart; else any vectors, more of them where vectors lie close.
    bool plus_plus = true;
    std::uint64_t seed = 0;
    std::size_t threads = 0;
    std::function<bool()> interrupted = nullptr;
};

struct KMeansResult {
    Matrix centroids;                  ///< shape (k, dim)
    std::vector<std::int64_t> labels;  ///< shape (n,): the nearest centroid of each vector
    /// Sum over all vectors of the squared distance to their centroid; spherical: of the dot
    /// product with it.
    double objective = 0.0;
    std::size_t iterations = 0;  ///< made
};

/// The same result on any number of threads.
/// @param vectors  shape (n, dim), finite, n at least k
/// @throws std::invalid_argument on another shape, or k of 0
/// @throws Interrupted
[[nodiscard]] KMeansResult kmeans(MatrixView<const float> vectors, const KMeansOptions& options);

}  // namespace unitvec
