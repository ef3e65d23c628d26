#pragma once
/// How widely an approximate search looks, and when a walk through a graph may end early.
#include <cstddef>
#include <limits>

#include "search/top_k.hpp"
#include "unitvec/types.hpp"

namespace unitvec {

/// Of a graph the candidates that a walk keeps, of lists how many are looked through.
struct Breadth {
    explicit Breadth(std::size_t amount) : most(amount), least(amount) {}
    Breadth(std::size_t at_least, std::size_t at_most, std::size_t near, double beyond_it)
        : most(at_most), least(at_least), k(near), slack(beyond_it) {}

    std::size_t most;
    std::size_t least;  ///< of a walk that ends early: those that it keeps in any case
    std::size_t k = 0;
    double slack = std::numeric_limits<double>::infinity();

    [[nodiscard]] bool varies() const { return least < most; }
    /// About what a search comes to: most end early.
    [[nodiscard]] std::size_t usual() const { return least + (most - least) / 4; }
};

/// Says when a walk is done before it has kept `most`: when the nearest row in sight is neither
/// among the `least` nearest that were met nor within (1 + slack) times the distance of the k-th
/// (Al-Jazzazi et al. 2025, "Distance Adaptive Beam Search for Provably Accurate Graph-Based
/// Nearest Neighbor Search"). Under Metric::dot, which is no distance, it never is.
class WalkEnd {
public:
    WalkEnd(const Breadth& breadth, Metric metric)
        : least_(breadth.least), near_(breadth.k), slack_(breadth.slack), metric_(metric) {}

    /// Takes note of a row that may be kept.
    void offer(Neighbour met);
    /// Whether neither that row nor any that is farther matters.
    [[nodiscard]] bool is_beyond(float nearness) const { return nearness < limit_; }
    /// What is farther than this is.
    [[nodiscard]] float limit() const { return limit_; }

private:
    TopK least_, near_;
    double slack_;
    Metric metric_;
    float limit_ = -std::numeric_limits<float>::infinity();
};

/// The nearness at (1 + slack) times the distance that this one stands for; -infinity of a dot
/// product.
[[nodiscard]] float slackened(Metric metric, float nearness, double slack);

}  // namespace unitvec
