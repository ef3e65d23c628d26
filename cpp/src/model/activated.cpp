#include "model/activated.hpp"

#include <algorithm>
#include <cmath>

namespace unitvec {

float hyperbolic_tangent(float x) {
    return std::tanh(x);
}
float logistic(float x) {
    return 1.0F / (1.0F + std::exp(-x));
}

Matrix activated(const Linear& linear, LayerActivation activation, MatrixView<const float> x,
                 std::size_t threads) {
    Matrix y(x.rows, linear.out());
    if (x.rows == 0) return y;
    linear(x.data, x.rows, activation.epilogue, nullptr, y.data(), threads);
    if (activation.function != nullptr) {
        std::transform(y.data(), y.data() + y.view().size(), y.data(), activation.function);
    }
    return y;
}

}  // namespace unitvec
