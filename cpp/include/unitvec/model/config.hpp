#pragma once
/// config.json: what kind of transformer a model directory holds, and its sizes.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unitvec {

enum class Activation {
    gelu,       ///< x * Phi(x), with erf
    gelu_tanh,  ///< the tanh approximation ("gelu_new", "gelu_pytorch_tanh")
    relu,
};

/// What the weights of linear layers and the table of word vectors are kept in. Sums, biases, layer
/// norms and softmax are float32 with either.
enum class DType {
    float32,
    bfloat16,  ///< the upper half of a float32: half the memory, 8 bits of precision
    int8,  ///< layers as whole numbers of 7 bits with a scale a column, their inputs with a scale
           ///< a token, rows rotated (ADR 5); word vectors in bfloat16
};

/// "float32", "bfloat16" or "int8". @throws std::invalid_argument for anything else, with the names
[[nodiscard]] DType dtype_from_name(std::string_view name);
[[nodiscard]] std::string_view name(DType dtype);

/// The sizes of a BERT-family encoder, checked against each other.
struct ModelConfig {
    std::string model_type;  ///< "bert", "roberta", ...: one of supported_model_types()
    std::size_t vocab_size = 0;
    std::size_t embedding_dim = 0;  ///< of the embedding tables; `dim` but in ELECTRA and ALBERT
    std::size_t dim = 0;            ///< hidden_size
    std::size_t layers = 0;
    std::size_t layer_groups = 0;  ///< layers with weights of their own: all of them but in ALBERT
    std::size_t heads = 0;
    std::size_t intermediate = 0;
    std::size_t positions = 0;        ///< rows of the position table
    std::size_t type_vocab_size = 0;  ///< 0: the model has no token types
    /// Where it is set, as in RoBERTa and MPNet, positions count from padding_id + 1, and tokens
    /// with this id all have the position padding_id.
    std::optional<std::int32_t> padding_id;
    std::size_t relative_buckets = 0;  ///< rows of MPNet's table of relative positions; 0: none
    float layer_norm_eps = 1e-12F;
    Activation activation = Activation::gelu;
    bool tied_words = true;        ///< the head for masked words shares the table of words
    DType dtype = DType::float32;  ///< the caller's choice, not the file's

    [[nodiscard]] std::size_t head_dim() const { return dim / heads; }
    /// The longest text in tokens.
    [[nodiscard]] std::size_t max_positions() const {
        return positions - (padding_id ? static_cast<std::size_t>(*padding_id) + 1 : 0);
    }
};

/// The model types that can be loaded, as config.json writes them.
[[nodiscard]] std::vector<std::string> supported_model_types();

/// Reads and checks `directory/config.json`.
/// @throws FormatError naming the field: absent, of the wrong type, out of range, or a model type,
///         activation or position embedding that is not supported (with the list of those that are)
[[nodiscard]] ModelConfig load_config(const std::filesystem::path& directory);

}  // namespace unitvec
