#pragma once
/// A linear layer and the activation behind it, as the layers above a transformer are.
#include <cstddef>

#include "model/linear.hpp"
#include "unitvec/types.hpp"

namespace unitvec {

/// What follows the sum: an epilogue of the kernel's, or a function of single numbers.
struct LayerActivation {
    kernels::Epilogue epilogue = kernels::Epilogue::none;
    float (*function)(float) = nullptr;
};

[[nodiscard]] float hyperbolic_tangent(float x);
[[nodiscard]] float logistic(float x);

inline constexpr LayerActivation kIdentity{};
inline constexpr LayerActivation kTanh{.function = hyperbolic_tangent};
inline constexpr LayerActivation kRelu{.epilogue = kernels::Epilogue::relu};
inline constexpr LayerActivation kGelu{.epilogue = kernels::Epilogue::gelu};
inline constexpr LayerActivation kSigmoid{.function = logistic};

/// activation(x W^T + b); a row depends on its row of x alone, bit for bit.
/// @param x        shape (n, in)
/// @param threads  0: default_threads()
/// @return shape (n, out)
[[nodiscard]] Matrix activated(const Linear& linear, LayerActivation activation,
                               MatrixView<const float> x, std::size_t threads);

}  // namespace unitvec
