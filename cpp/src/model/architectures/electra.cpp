// ELECTRA: Clark et al. 2020, https://arxiv.org/abs/2003.10555. BERT whose embedding tables may be
// narrower than its layers.
#include "model/architectures/architecture.hpp"

namespace unitvec {
namespace {

ModelConfig read_config(const JsonField& root) {
    auto config = read_sizes(root);
    if (root.find("embedding_size"))
        config.embedding_dim = read_size(root, "embedding_size", kMaxDim);
    return config;
}

TransformerWeights read_weights(const Safetensors& file, const ModelConfig& config) {
    const auto reader = reader_below(file, "electra.");
    TransformerWeights weights{.config = config};
    read_embeddings(reader, weights);
    if (config.embedding_dim != config.dim) {
        weights.embedding_projection =
            reader.linear("embeddings_project", config.dim, config.embedding_dim);
    }
    read_layers(reader, weights);
    return weights;
}

}  // namespace

const Architecture kElectra{"electra",
                            read_config,
                            read_weights,
                            {.activation = kGelu},
                            {.trunk = "electra.",
                             .dense = "generator_predictions.dense",
                             .norm = "generator_predictions.LayerNorm",
                             .decoder = "generator_lm_head",
                             .bias = "generator_lm_head.bias"}};

}  // namespace unitvec
