#include "vector_length.hpp"

#include <array>
#include <cmath>

namespace unitvec {

/// Four partial sums, because one would wait for every addition.
double squared_length(std::span<const float> x) {
    std::array<double, 4> sums{};
    std::size_t j = 0;
    for (; j + 4 <= x.size(); j += 4) {
        for (std::size_t lane = 0; lane < 4; ++lane) {
            const double value = x[j + lane];
            sums[lane] += value * value;
        }
    }
    for (; j < x.size(); ++j) sums[0] += static_cast<double>(x[j]) * x[j];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

double length(std::span<const float> x) {
    return std::sqrt(squared_length(x));
}

}  // namespace unitvec
