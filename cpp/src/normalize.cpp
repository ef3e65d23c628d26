#include "unitvec/normalize.hpp"

#include <algorithm>

#include "unitvec/error.hpp"
#include "vector_length.hpp"

namespace unitvec {
namespace {

constexpr double kSmallestLength = 1e-12;  // as PyTorch's normalize: below it a row is only scaled

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
