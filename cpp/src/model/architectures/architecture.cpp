#include "model/architectures/architecture.hpp"

#include <algorithm>

namespace unitvec {
namespace {

Activation read_activation(const JsonField& root, const ConfigNames& names) {
    const auto name = root.string_or(names.activation, names.default_activation);
    if (name == "gelu") return Activation::gelu;
    if (name == "gelu_new" || name == "gelu_pytorch_tanh") return Activation::gelu_tanh;
    if (name == "relu") return Activation::relu;
    root.at(names.activation).fail("one of gelu, gelu_new, gelu_pytorch_tanh, relu");
}

float read_epsilon(const JsonField& root) {
    const double eps = root.number_or("layer_norm_eps", 1e-12);
    // As a float it must not become 0, which would leave rows of equal numbers without a scale.
    if (!(eps >= 1e-37 && eps < 1.0)) root.at("layer_norm_eps").fail("a number in [1e-37, 1)");
    return static_cast<float>(eps);
}

}  // namespace

const std::vector<Architecture>& architectures() {
    static const std::vector<Architecture> all{kBert,  kDistilBert, kRoberta, kXlmRoberta,
                                               kMpnet, kCamembert,  kElectra, kAlbert};
    return all;
}

const Architecture& architecture_named(std::string_view model_type) {
    return *std::ranges::find(architectures(), model_type, &Architecture::model_type);
}

TransformerWeights read_transformer(const std::filesystem::path& directory, DType dtype) {
    ModelConfig config = load_config(directory);
    config.dtype = dtype;
    const auto file = Safetensors::open_directory(directory);
    auto weights = architecture_named(config.model_type).read_weights(file, config);
    weights.source = file.source();
    return weights;
}

std::size_t read_size(const JsonField& root, std::string_view key, std::int64_t max,
                      std::int64_t min) {
    return static_cast<std::size_t>(root.at(key).integer(min, max));
}

std::int32_t read_padding_id(const JsonField& root, std::int32_t fallback) {
    const auto field = root.find("pad_token_id");
    return field ? static_cast<std::int32_t>(field->integer(0, kMaxVocab)) : fallback;
}

ModelConfig read_sizes(const JsonField& root, const ConfigNames& names) {
    ModelConfig config;
    config.vocab_size = read_size(root, "vocab_size", kMaxVocab);
    config.dim = config.embedding_dim = read_size(root, names.dim, kMaxDim);
    config.layers = config.layer_groups = read_size(root, names.layers, kMaxLayers);
    config.heads = read_size(root, names.heads, kMaxDim);
    config.intermediate = read_size(root, names.intermediate, 16 * kMaxDim);
    config.positions = read_size(root, "max_position_embeddings", kMaxPositions);
    if (!names.types.empty()) config.type_vocab_size = read_size(root, names.types, kMaxDim);
    config.layer_norm_eps = read_epsilon(root);
    config.activation = read_activation(root, names);
    config.tied_words = root.boolean_or("tie_word_embeddings", true);
    if (config.dim % config.heads != 0) {
        root.at(names.heads).fail("a divisor of the width " + std::to_string(config.dim));
    }
    return config;
}

WeightReader reader_below(const Safetensors& file, const char* prefix) {
    const bool inside = file.contains(std::string(prefix) + "embeddings.word_embeddings.weight");
    return {file, inside ? prefix : ""};
}

void read_embeddings(const WeightReader& reader, TransformerWeights& weights) {
    const auto& c = weights.config;
    const std::string names = "embeddings.";
    weights.word = {reader.read(names + "word_embeddings.weight", {c.vocab_size, c.embedding_dim}),
                    c.embedding_dim, c.dtype};
    weights.position =
        reader.read(names + "position_embeddings.weight", {c.positions, c.embedding_dim});
    if (c.type_vocab_size > 0) {
        weights.type = reader.read(names + "token_type_embeddings.weight",
                                   {c.type_vocab_size, c.embedding_dim});
    }
    weights.embedding_norm = reader.layer_norm(names + "LayerNorm", c.embedding_dim);
}

void read_layers(const WeightReader& reader, TransformerWeights& weights, const LayerNames& names) {
    const auto& c = weights.config;
    for (std::size_t i = 0; i < c.layer_groups; ++i) {
        const auto layer = names.before + std::to_string(i) + names.after;
        weights.layers.push_back({
            .qkv = reader.linears({layer + names.query, layer + names.key, layer + names.value},
                                  c.dim, c.dim, c.dtype),
            .output = reader.linear(layer + names.output, c.dim, c.dim, c.dtype),
            .attention_norm = reader.layer_norm(layer + names.attention_norm, c.dim),
            .intermediate =
                reader.linear(layer + names.intermediate, c.intermediate, c.dim, c.dtype),
            .dense = reader.linear(layer + names.dense, c.dim, c.intermediate, c.dtype),
            .output_norm = reader.layer_norm(layer + names.output_norm, c.dim),
        });
    }
    const auto next = names.before + std::to_string(c.layer_groups) + names.after;
    reader.require_absent(next + names.dense + ".weight",
                          std::to_string(c.layer_groups) + " layers with weights of their own");
}

void read_pooler(const WeightReader& reader, const std::string& name, TransformerWeights& weights) {
    const auto dim = weights.config.dim;
    if (reader.contains(name + ".weight")) weights.pooler = reader.linear(name, dim, dim);
}

TransformerWeights read_bert_layout(const Safetensors& file, const ModelConfig& config,
                                    const char* prefix) {
    const auto reader = reader_below(file, prefix);
    TransformerWeights weights{.config = config};
    read_embeddings(reader, weights);
    read_layers(reader, weights);
    read_pooler(reader, "pooler.dense", weights);
    return weights;
}

}  // namespace unitvec
