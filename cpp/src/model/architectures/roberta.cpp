// RoBERTa: Liu et al. 2019, https://arxiv.org/abs/1907.11692. XLM-R (Conneau et al. 2019,
// https://arxiv.org/abs/1911.02116) and CamemBERT have its layers and names. Positions count from
// behind the padding token's id, so that a table of 514 rows serves texts of 512 tokens.
#include "model/architectures/architecture.hpp"

namespace unitvec {
namespace {

ModelConfig read_config(const JsonField& root) {
    auto config = read_sizes(root);
    config.padding_id = read_padding_id(root, 1);
    return config;
}

TransformerWeights read_weights(const Safetensors& file, const ModelConfig& config) {
    return read_bert_layout(file, config, "roberta.");
}

}  // namespace

const Architecture kRoberta{"roberta", read_config, read_weights, {}, {.trunk = "roberta."}};
const Architecture kXlmRoberta{"xlm-roberta", read_config, read_weights, {}, {.trunk = "roberta."}};
const Architecture kCamembert{"camembert", read_config, read_weights, {}, {.trunk = "roberta."}};

}  // namespace unitvec
