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

TransformerWeights read_weights(const Safetensors& file, const ModelConfig& config) {
    const auto reader = reader_below(file, "distilbert.");
    TransformerWeights weights{.config = config};
    read_embeddings(reader, weights);
    read_layers(reader, weights,
                {.before = "transformer.layer.",
                 .query = "attention.q_lin",
                 .key = "attention.k_lin",
                 .value = "attention.v_lin",
                 .output = "attention.out_lin",
                 .attention_norm = "sa_layer_norm",
                 .intermediate = "ffn.lin1",
                 .dense = "ffn.lin2",
                 .output_norm = "output_layer_norm"});
    return weights;
}

}  // namespace

const Architecture kDistilBert{
    "distilbert",
    read_config,
    read_weights,
    {.dense = "pre_classifier", .output = "classifier", .activation = kRelu},
    {.trunk = "distilbert.",
     .dense = "vocab_transform",
     .norm = "vocab_layer_norm",
     .decoder = "vocab_projector",
     .bias = "vocab_projector.bias",
     .own_gelu = false}};

}  // namespace unitvec
