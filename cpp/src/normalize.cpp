#include "unitvec/normalize.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "unitvec/error.hpp"

namespace unitvec {
namespace {

constexpr double kSmallestLength = 1e-12;  // as PyTorch's normalize: below it a row is only scaled

/// Four partial sums, because one would wait for every addition; in double, because squares of
/// float32 neither overflow there nor lose the small ones beside the large.
double length(std::span<const float> row) {
    std::array<double, 4> sums{};
    std::size_t j = 0;
    for (; j + 4 <= row.size(); j += 4) {
        for (std::size_t lane = 0; lane < 4; ++lane) {
            const double x = row[j + lane];
            sums[lane] += x * x;
        }
    }
    for (; j < row.size(); ++j) sums[0] += static_cast<double>(row[j]) * row[j];
    return std::sqrt((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

}  // namespace

void l2_normalize(MatrixView<const float> in, MatrixView<float> out) {
    require_same_shape("l2_normalize", in, out);
    for (std::size_t i = 0; i < in.rows; ++i) {
        const double scale = 1.0 / std::max(length(in.row(i)), kSmallestLength);
        std::ranges::transform(in.row(i), out.row(i).begin(),
                               [=](float x) { return static_cast<float>(x * scale); });
    }
}

}  // namespace unitvec
