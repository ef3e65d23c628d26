#include "unitvec/model/config.hpp"

#include <algorithm>

#include "json.hpp"

namespace unitvec {
namespace {

// Bounds far above any real model, so that a damaged number cannot ask for terabytes.
constexpr std::int64_t kMaxVocab = 10'000'000;
constexpr std::int64_t kMaxDim = 65'536;
constexpr std::int64_t kMaxLayers = 1'000;
constexpr std::int64_t kMaxPositions = 10'000'000;

std::size_t size_field(const JsonField& root, std::string_view key, std::int64_t max) {
    return static_cast<std::size_t>(root.at(key).integer(1, max));
}

Activation read_activation(const JsonField& root) {
    const auto name = root.string_or("hidden_act", "gelu");
    if (name == "gelu") return Activation::gelu;
    if (name == "gelu_new" || name == "gelu_pytorch_tanh") return Activation::gelu_tanh;
    if (name == "relu") return Activation::relu;
    root.at("hidden_act").fail("one of gelu, gelu_new, gelu_pytorch_tanh, relu");
}

std::string comma_separated(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) text.append(text.empty() ? "" : ", ").append(name);
    return text;
}

float read_epsilon(const JsonField& root) {
    const double eps = root.number_or("layer_norm_eps", 1e-12);
    if (!(eps > 0.0 && eps < 1.0)) root.at("layer_norm_eps").fail("a number between 0 and 1");
    return static_cast<float>(eps);
}

}  // namespace

std::size_t ModelConfig::parameters() const {
    const std::size_t norm = 2 * dim;
    const std::size_t embeddings = (vocab_size + max_positions + type_vocab_size) * dim + norm;
    const std::size_t attention = 4 * (dim + 1) * dim + norm;
    const std::size_t feed_forward = (dim + 1) * intermediate + (intermediate + 1) * dim + norm;
    return embeddings + layers * (attention + feed_forward);
}

std::vector<std::string> supported_model_types() {
    return {"bert"};
}

ModelConfig load_config(const std::filesystem::path& directory) {
    const auto root = JsonField::parse_file(directory / "config.json");
    ModelConfig config;
    const auto type = root.at("model_type");
    config.model_type = type.string();
    const auto supported = supported_model_types();
    if (std::ranges::find(supported, config.model_type) == supported.end()) {
        type.fail("a supported model type (" + comma_separated(supported) + ")");
    }
    config.vocab_size = size_field(root, "vocab_size", kMaxVocab);
    config.dim = size_field(root, "hidden_size", kMaxDim);
    config.layers = size_field(root, "num_hidden_layers", kMaxLayers);
    config.heads = size_field(root, "num_attention_heads", kMaxDim);
    config.intermediate = size_field(root, "intermediate_size", 16 * kMaxDim);
    config.max_positions = size_field(root, "max_position_embeddings", kMaxPositions);
    config.type_vocab_size = size_field(root, "type_vocab_size", kMaxDim);
    config.layer_norm_eps = read_epsilon(root);
    config.activation = read_activation(root);
    if (config.dim % config.heads != 0) {
        root.at("num_attention_heads")
            .fail("a divisor of hidden_size " + std::to_string(config.dim));
    }
    if (root.string_or("position_embedding_type", "absolute") != "absolute") {
        root.at("position_embedding_type").fail("\"absolute\"");
    }
    return config;
}

}  // namespace unitvec
