#pragma once
/// config.json: what kind of transformer a model directory holds, and its sizes.
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace unitvec {

enum class Activation {
    gelu,       ///< x * Phi(x), with erf
    gelu_tanh,  ///< the tanh approximation ("gelu_new", "gelu_pytorch_tanh")
    relu,
};

/// The sizes of a BERT-family encoder, checked against each other.
struct ModelConfig {
    std::string model_type;  ///< "bert"
    std::size_t vocab_size = 0;
    std::size_t dim = 0;  ///< hidden_size
    std::size_t layers = 0;
    std::size_t heads = 0;
    std::size_t intermediate = 0;
    std::size_t max_positions = 0;  ///< rows of the position table
    std::size_t type_vocab_size = 0;
    float layer_norm_eps = 1e-12F;
    Activation activation = Activation::gelu;

    [[nodiscard]] std::size_t head_dim() const { return dim / heads; }
    /// Number of weights that these sizes make: embeddings and layers.
    [[nodiscard]] std::size_t parameters() const;
};

/// The model types that can be loaded, as config.json writes them.
[[nodiscard]] std::vector<std::string> supported_model_types();

/// Reads and checks `directory/config.json`.
/// @throws FormatError naming the field: absent, of the wrong type, out of range, or a model type,
///         activation or position embedding that is not supported (with the list of those that are)
[[nodiscard]] ModelConfig load_config(const std::filesystem::path& directory);

}  // namespace unitvec
