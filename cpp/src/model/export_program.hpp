#pragma once
/// The TorchScript source of an exported model.
#include <string>

#include "unitvec/model/config.hpp"
#include "unitvec/model/export.hpp"

namespace unitvec {

/// Methods of a module whose attributes are the weights, under the names that export.cpp gives
/// them. Sizes are written into the source.
[[nodiscard]] std::string export_program(const ModelConfig& config, const SentenceSteps& steps,
                                         bool has_projection, bool has_relative_bias);

}  // namespace unitvec
