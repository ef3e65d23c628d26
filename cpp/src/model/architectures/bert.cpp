// BERT: Devlin et al. 2018, https://arxiv.org/abs/1810.04805
#include "model/architectures/architecture.hpp"

namespace unitvec {
namespace {

ModelConfig read_config(const JsonField& root) {
    return read_sizes(root);
}

TransformerWeights read_weights(const Safetensors& file, const ModelConfig& config) {
    return read_bert_layout(file, config, "bert.");
}

}  // namespace

const Architecture kBert{"bert",
                         read_config,
                         read_weights,
                         {.dense = "bert.pooler.dense", .output = "classifier"},
                         {.trunk = "bert.",
                          .dense = "cls.predictions.transform.dense",
                          .norm = "cls.predictions.transform.LayerNorm",
                          .decoder = "cls.predictions.decoder",
                          .bias = "cls.predictions.bias",
                          .own_gelu = false}};

}  // namespace unitvec
