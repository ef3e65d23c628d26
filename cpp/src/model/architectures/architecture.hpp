#pragma once
/// What differs between the members of the BERT family: how config.json names the sizes, and what
/// checkpoints call the weights. One small file each.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "json.hpp"
#include "model/activated.hpp"
#include "model/weights.hpp"
#include "unitvec/model/config.hpp"

namespace unitvec {

/// What a checkpoint calls the two layers of its sequence-classification head, with nothing before
/// these names, and what stands between them. RoBERTa's.
struct ClassifierNames {
    std::string dense = "classifier.dense";
    std::string output = "classifier.out_proj";
    LayerActivation activation = kTanh;
};

/// What a checkpoint calls the head that guesses masked words. RoBERTa's and MPNet's.
struct MaskedWordNames {
    std::string trunk;  ///< what stands before the names of the transformer's own weights
    std::string dense = "lm_head.dense";
    std::string norm = "lm_head.layer_norm";
    std::string decoder = "lm_head.decoder";
    std::string bias = "lm_head.bias";  ///< of the decoder, where that is tied
    bool own_gelu = true;               ///< GELU, whatever the layers below have
};

struct Architecture {
    std::string_view model_type;  ///< as config.json has it
    /// Reads the sizes. They need not fit each other yet; load_config() checks that.
    ModelConfig (*read_config)(const JsonField& root);
    TransformerWeights (*read_weights)(const Safetensors& file, const ModelConfig& config);
    ClassifierNames classifier{};
    MaskedWordNames masked_words{};
};

/// All of them.
[[nodiscard]] const std::vector<Architecture>& architectures();
/// The one of a config that was read.
[[nodiscard]] const Architecture& architecture_named(std::string_view model_type);

/// The weights of a model directory, whatever its architecture.
/// @throws FormatError for anything missing, damaged or not supported
[[nodiscard]] TransformerWeights read_transformer(const std::filesystem::path& directory,
                                                  DType dtype);

extern const Architecture kAlbert;
extern const Architecture kBert;
extern const Architecture kCamembert;
extern const Architecture kDistilBert;
extern const Architecture kElectra;
extern const Architecture kMpnet;
extern const Architecture kRoberta;
extern const Architecture kXlmRoberta;

// ---- what several of them share ---------------------------------------------------------------

/// The names under which an architecture keeps its sizes.
struct ConfigNames {
    std::string_view dim = "hidden_size";
    std::string_view layers = "num_hidden_layers";
    std::string_view heads = "num_attention_heads";
    std::string_view intermediate = "intermediate_size";
    std::string_view activation = "hidden_act";
    std::string_view default_activation = "gelu";
    std::string_view types = "type_vocab_size";  ///< empty: no token types
};

/// The sizes that every architecture has; `embedding_dim` and `layer_groups` as in BERT.
[[nodiscard]] ModelConfig read_sizes(const JsonField& root, const ConfigNames& names = {});

// Bounds far above any real model, so that a damaged number cannot ask for terabytes.
constexpr std::int64_t kMaxVocab = 10'000'000;
constexpr std::int64_t kMaxDim = 65'536;
constexpr std::int64_t kMaxLayers = 1'000;
constexpr std::int64_t kMaxPositions = 10'000'000;

/// An integer from `min` to `max`.
[[nodiscard]] std::size_t read_size(const JsonField& root, std::string_view key, std::int64_t max,
                                    std::int64_t min = 1);

/// The id of the padding token, from which positions count; `fallback` where it is not said.
[[nodiscard]] std::int32_t read_padding_id(const JsonField& root, std::int32_t fallback);

/// A reader that finds the weights at the top, or below `prefix` as in a model with heads.
[[nodiscard]] WeightReader reader_below(const Safetensors& file, const char* prefix);

/// embeddings.*, as BERT calls them; also the projection of narrow tables (ELECTRA).
void read_embeddings(const WeightReader& reader, TransformerWeights& weights);

/// What a checkpoint calls the parts of layer i: all behind `before` + i + `after`. BERT's names.
struct LayerNames {
    std::string before = "encoder.layer.";
    std::string after = ".";
    std::string query = "attention.self.query";
    std::string key = "attention.self.key";
    std::string value = "attention.self.value";
    std::string output = "attention.output.dense";
    std::string attention_norm = "attention.output.LayerNorm";
    std::string intermediate = "intermediate.dense";
    std::string dense = "output.dense";
    std::string output_norm = "output.LayerNorm";
};

/// All layers that have weights of their own.
void read_layers(const WeightReader& reader, TransformerWeights& weights,
                 const LayerNames& names = {});

/// A whole checkpoint in BERT's layout, at the top or below `prefix`.
[[nodiscard]] TransformerWeights read_bert_layout(const Safetensors& file,
                                                  const ModelConfig& config, const char* prefix);

/// `name`, the layer behind [CLS], where the checkpoint has one.
void read_pooler(const WeightReader& reader, const std::string& name, TransformerWeights& weights);

}  // namespace unitvec
