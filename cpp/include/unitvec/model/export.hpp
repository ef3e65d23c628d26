#pragma once
/// A transformer with its pooling and dense layers as one TorchScript file.
#include <filesystem>
#include <optional>
#include <vector>

#include "unitvec/model/config.hpp"
#include "unitvec/model/dense.hpp"
#include "unitvec/model/pooling.hpp"

namespace unitvec {

/// What follows the token vectors, in order.
struct SentenceSteps {
    PoolingPlan pooling;  ///< but for the tokens it skips, which the file does not know
    std::vector<std::optional<Dense>> layers;  ///< nothing: scale to length 1
};

/// Writes a file that plain torch.jit.load runs: forward(input_ids, attention_mask[,
/// token_type_ids]) gives {"last_hidden_state": (batch, seq_len, dim), "sentence_embedding":
/// (batch, dim)}, in float32. Texts are padded on the right, with any id. The third argument is
/// there for models with token types, and may be left out.
///
/// @param directory  config.json and safetensors, as TransformerEncoder::load reads them
/// @param dtype      what the weights are rounded to; the file holds float32 either way
/// @throws FormatError for a model that cannot be read; std::system_error if the file cannot be
///         written: then what was there before is there still
void export_torchscript(const std::filesystem::path& directory, DType dtype,
                        const SentenceSteps& steps, const std::filesystem::path& file);

}  // namespace unitvec
