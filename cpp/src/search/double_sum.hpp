#pragma once
/// Sums in double, always in the same order: a pair of vectors has the same bits beside any others.
#include <cstddef>

namespace unitvec {

/// term(0) + ... + term(n - 1), in eight partial sums, because one would wait for every addition.
template <typename Term>
double double_sum(std::size_t n, const Term& term) {
    constexpr std::size_t kLanes = 8;
    double lanes[kLanes] = {};
    std::size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        for (std::size_t j = 0; j < kLanes; ++j) lanes[j] += term(i + j);
    }
    double total = 0.0;
    for (; i < n; ++i) total += term(i);
    for (const double lane : lanes) total += lane;
    return total;
}

}  // namespace unitvec
