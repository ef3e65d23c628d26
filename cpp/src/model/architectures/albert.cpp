// ALBERT: Lan et al. 2019, https://arxiv.org/abs/1909.11942. Narrow embedding tables, and layers
// that share their weights.
#include "model/architectures/architecture.hpp"

namespace unitvec {
namespace {

ModelConfig read_config(const JsonField& root) {
    auto config = read_sizes(root, {.default_activation = "gelu_new"});
    config.embedding_dim = read_size(root, "embedding_size", kMaxDim);
    config.layer_groups =
        root.find("num_hidden_groups") ? read_size(root, "num_hidden_groups", kMaxLayers) : 1;
    if (config.layer_groups > config.layers) {
        root.at("num_hidden_groups")
            .fail("at most num_hidden_layers, " + std::to_string(config.layers));
    }
    if (root.find("inner_group_num") && read_size(root, "inner_group_num", kMaxLayers) != 1) {
        root.at("inner_group_num").fail("1, one layer a group");
    }
    return config;
}

TransformerWeights read_weights(const Safetensors& file, const ModelConfig& config) {
    const auto reader = reader_below(file, "albert.");
    TransformerWeights weights{.config = config};
    read_embeddings(reader, weights);
    weights.embedding_projection =
        reader.linear("encoder.embedding_hidden_mapping_in", config.dim, config.embedding_dim);
    read_layers(reader, weights,
                {.before = "encoder.albert_layer_groups.",
                 .after = ".albert_layers.0.",
                 .query = "attention.query",
                 .key = "attention.key",
                 .value = "attention.value",
                 .output = "attention.dense",
                 .attention_norm = "attention.LayerNorm",
                 .intermediate = "ffn",
                 .dense = "ffn_output",
                 .output_norm = "full_layer_layer_norm"});
    read_pooler(reader, "pooler", weights);
    return weights;
}

}  // namespace

const Architecture kAlbert{"albert",
                           read_config,
                           read_weights,
                           {.dense = "albert.pooler", .output = "classifier"},
                           {.trunk = "albert.",
                            .dense = "predictions.dense",
                            .norm = "predictions.LayerNorm",
                            .decoder = "predictions.decoder",
                            .bias = "predictions.bias",
                            .own_gelu = false}};

}  // namespace unitvec
