// DistilBERT: Sanh et al. 2019, https://arxiv.org/abs/1910.01108. BERT without token types and
// pooler, under names of its own.
#include "model/architectures/architecture.hpp"

namespace unitvec {
namespace {

ModelConfig read_config(const JsonField& root) {
    return read_sizes(root, {.dim = "dim",
                             .layers = "n_layers",
                             .heads = "n_heads",
                             .intermediate = "hidden_dim",
                             .activation = "activation",
                             .types = ""});
}

LayerWeights read_layer(const WeightReader& reader, const ModelConfig& c, std::size_t index) {
    const auto layer = "transformer.layer." + std::to_string(index) + ".";
    const auto self = layer + "attention.";
    return {
        .qkv = reader.linears({self + "q_lin", self + "k_lin", self + "v_lin"}, c.dim, c.dim),
        .output = reader.linear(self + "out_lin", c.dim, c.dim),
        .attention_norm = reader.layer_norm(layer + "sa_layer_norm", c.dim),
        .intermediate = reader.linear(layer + "ffn.lin1", c.intermediate, c.dim),
        .dense = reader.linear(layer + "ffn.lin2", c.dim, c.intermediate),
        .output_norm = reader.layer_norm(layer + "output_layer_norm", c.dim),
    };
}

TransformerWeights read_weights(const Safetensors& file, const ModelConfig& config) {
    const auto reader = reader_below(file, "distilbert.");
    TransformerWeights weights{.config = config};
    read_embeddings(reader, weights);
    for (std::size_t i = 0; i < config.layers; ++i) {
        weights.layers.push_back(read_layer(reader, config, i));
    }
    return weights;
}

}  // namespace

const Architecture kDistilBert{"distilbert", read_config, read_weights};

}  // namespace unitvec
