#pragma once
/// What a Dense layer is made of.
#include <optional>
#include <string>
#include <string_view>

#include "model/activated.hpp"
#include "model/linear.hpp"
#include "unitvec/model/dense.hpp"

namespace unitvec {

struct DenseActivation {
    std::string_view name;  ///< "Identity", "Tanh", "ReLU", "GELU" or "Sigmoid"
    LayerActivation function;
};

struct Dense::Weights {
    Linear linear;
    DenseActivation activation;
    bool use_residual;
    std::optional<Linear> projection;  // of the residual, where the widths differ
    std::string source;                // the files, for messages
};

}  // namespace unitvec
