// BERT: Devlin et al. 2018, https://arxiv.org/abs/1810.04805
#include "model/architectures/architecture.hpp"

namespace unitvec {
namespace {

ModelConfig read_config(const JsonField& root) {
    return read_sizes(root);
}

TransformerWeights read_weights(const Safetensors& file, const ModelConfig& config) {
    const auto reader = reader_below(file, "bert.");
    TransformerWeights weights{.config = config};
    read_embeddings(reader, weights);
    read_layers(reader, weights);
    read_pooler(reader, "pooler.dense", weights);
    return weights;
}

}  // namespace

const Architecture kBert{"bert", read_config, read_weights};

}  // namespace unitvec
