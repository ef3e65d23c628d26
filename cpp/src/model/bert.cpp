// BERT's names for its weights: BertModel, alone or inside a model with heads ("bert." before
// each).
#include "model/weights.hpp"

namespace unitvec {
namespace {

LayerWeights read_layer(const WeightReader& reader, const ModelConfig& c, std::size_t index) {
    const auto layer = "encoder.layer." + std::to_string(index) + ".";
    const auto self = layer + "attention.self.";
    return {
        .qkv = reader.linears({self + "query", self + "key", self + "value"}, c.dim, c.dim),
        .output = reader.linear(layer + "attention.output.dense", c.dim, c.dim),
        .attention_norm = reader.layer_norm(layer + "attention.output.LayerNorm", c.dim),
        .intermediate = reader.linear(layer + "intermediate.dense", c.intermediate, c.dim),
        .dense = reader.linear(layer + "output.dense", c.dim, c.intermediate),
        .output_norm = reader.layer_norm(layer + "output.LayerNorm", c.dim),
    };
}

}  // namespace

TransformerWeights read_bert(const Safetensors& file, const ModelConfig& c) {
    const bool inside = file.contains("bert.embeddings.word_embeddings.weight");
    const WeightReader reader(file, inside ? "bert." : "");
    TransformerWeights weights{
        .config = c,
        .word = reader.read("embeddings.word_embeddings.weight", {c.vocab_size, c.dim}),
        .position = reader.read("embeddings.position_embeddings.weight", {c.max_positions, c.dim}),
        .type = reader.read("embeddings.token_type_embeddings.weight", {c.type_vocab_size, c.dim}),
        .embedding_norm = reader.layer_norm("embeddings.LayerNorm", c.dim),
        .layers = {},
    };
    for (std::size_t i = 0; i < c.layers; ++i) weights.layers.push_back(read_layer(reader, c, i));
    return weights;
}

}  // namespace unitvec
