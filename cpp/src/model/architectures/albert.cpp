// ALBERT: Lan et al. 2019, https://arxiv.org/abs/1909.11942. Narrow embedding tables, and layers
// that share their weights.
#include "model/architectures/architecture.hpp"

namespace unitvec {
namespace {

ModelConfig read_config(const JsonField& root) {
    auto config = read_sizes(root, {.default_activation = "gelu_new"});
    config.embedding_dim = read_size(root, "embedding_size");
    config.layer_groups = root.has("num_hidden_groups") ? read_size(root, "num_hidden_groups") : 1;
    if (config.layer_groups > config.layers) {
        root.at("num_hidden_groups")
            .fail("at most num_hidden_layers, " + std::to_string(config.layers));
    }
    if (root.has("inner_group_num") && read_size(root, "inner_group_num") != 1) {
        root.at("inner_group_num").fail("1, one layer a group");
    }
    return config;
}

LayerWeights read_layer(const WeightReader& reader, const ModelConfig& c, std::size_t group) {
    const auto layer = "encoder.albert_layer_groups." + std::to_string(group) + ".albert_layers.0.";
    const auto self = layer + "attention.";
    return {
        .qkv = reader.linears({self + "query", self + "key", self + "value"}, c.dim, c.dim),
        .output = reader.linear(self + "dense", c.dim, c.dim),
        .attention_norm = reader.layer_norm(self + "LayerNorm", c.dim),
        .intermediate = reader.linear(layer + "ffn", c.intermediate, c.dim),
        .dense = reader.linear(layer + "ffn_output", c.dim, c.intermediate),
        .output_norm = reader.layer_norm(layer + "full_layer_layer_norm", c.dim),
    };
}

TransformerWeights read_weights(const Safetensors& file, const ModelConfig& config) {
    const auto reader = reader_below(file, "albert.");
    TransformerWeights weights{.config = config};
    read_embeddings(reader, weights);
    weights.embedding_projection =
        reader.linear("encoder.embedding_hidden_mapping_in", config.dim, config.embedding_dim);
    for (std::size_t i = 0; i < config.layer_groups; ++i) {
        weights.layers.push_back(read_layer(reader, config, i));
    }
    read_pooler(reader, "pooler", weights);
    return weights;
}

}  // namespace

const Architecture kAlbert{"albert", read_config, read_weights};

}  // namespace unitvec
