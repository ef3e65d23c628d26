#pragma once
/// A transformer's weights, by what they do rather than by what a checkpoint calls them.
#include <optional>
#include <string>
#include <vector>

#include "model/linear.hpp"
#include "unitvec/model/config.hpp"
#include "unitvec/model/safetensors.hpp"

namespace unitvec {

struct LayerNormWeights {
    AlignedVector<float> gamma;  // (dim)
    AlignedVector<float> beta;   // (dim)
};

struct LayerWeights {
    Linear qkv;     // dim -> 3 dim: queries, keys, values side by side
    Linear output;  // dim -> dim
    LayerNormWeights attention_norm;
    Linear intermediate;  // dim -> intermediate
    Linear dense;         // intermediate -> dim
    LayerNormWeights output_norm;
};

/// What attention adds to the product of a query and a key before the scale, by their distance.
class RelativeBias {
public:
    RelativeBias() = default;
    /// @param longest  tokens of the longest text
    RelativeBias(std::size_t heads, std::size_t longest);

    /// Entry [j - i] is for the query at i and the key at j. nullptr where there is no bias.
    [[nodiscard]] float* of_head(std::size_t head) { return values_.data() + centre(head); }
    [[nodiscard]] const float* of_head(std::size_t head) const {
        return values_.empty() ? nullptr : values_.data() + centre(head);
    }

private:
    [[nodiscard]] std::size_t centre(std::size_t head) const { return head * width_ + reach_; }

    std::size_t reach_ = 0;  // largest distance
    std::size_t width_ = 0;
    AlignedVector<float> values_;
};

/// The table of word vectors, by far the largest of a model with many languages.
class WordTable {
public:
    WordTable() = default;
    /// @param rows  shape (vocab, dim)
    WordTable(AlignedVector<float> rows, std::size_t dim, DType dtype);

    /// The vector of a word: where it lies, or widened into `room`, which holds `dim` floats.
    [[nodiscard]] const float* row(std::size_t id, float* room) const;
    /// All of them, (vocab, dim), as floats.
    [[nodiscard]] AlignedVector<float> rows() const;
    /// Numbers in the table.
    [[nodiscard]] std::size_t size() const { return rows_.size() + bfloat16_rows_.size(); }

private:
    std::size_t dim_ = 0;
    AlignedVector<float> rows_;  // one of these two is empty
    AlignedVector<std::uint16_t> bfloat16_rows_;
};

struct TransformerWeights {
    ModelConfig config{};
    std::string source{};             // the files, for messages
    WordTable word{};                 // (vocab, embedding_dim)
    AlignedVector<float> position{};  // (positions, embedding_dim)
    AlignedVector<float> type{};      // (types, embedding_dim), or empty
    LayerNormWeights embedding_norm{};
    std::optional<Linear> embedding_projection{};  // embedding_dim -> dim
    std::vector<LayerWeights> layers{};            // (layer_groups)
    RelativeBias relative_bias{};
    std::optional<Linear> pooler{};  // dim -> dim, tanh behind it

    /// The weights of layer `index` of config.layers.
    [[nodiscard]] const LayerWeights& layer(std::size_t index) const {
        return layers[index * config.layer_groups / config.layers];
    }
    /// Number of weights, the pooler's not counted.
    [[nodiscard]] std::size_t parameters() const;
};

/// Finite weights can still be large enough for sums to overflow. What passes here can be pooled,
/// squared and summed up without that.
/// @throws FormatError naming `source` if a number is NaN, infinite or beyond 1e15
void require_moderate(const std::string& source, MatrixView<const float> vectors);

/// Reads tensors of a checkpoint as float32, with their shape checked.
class WeightReader {
public:
    /// @param prefix  what stands before every name in this checkpoint ("bert." or nothing)
    WeightReader(const Safetensors& file, std::string prefix)
        : file_(file), prefix_(std::move(prefix)) {}

    [[nodiscard]] bool contains(const std::string& name) const {
        return file_.contains(prefix_ + name);
    }
    /// A copy. @throws FormatError if it is absent, of another shape, not a float tensor, or has
    ///         numbers that are not finite as float32
    [[nodiscard]] AlignedVector<float> read(const std::string& name,
                                            const std::vector<std::size_t>& shape) const;
    /// `name`.weight and `name`.bias, or gamma and beta as checkpoints before 2019 call them.
    [[nodiscard]] LayerNormWeights layer_norm(const std::string& name, std::size_t dim) const;
    [[nodiscard]] Linear linear(const std::string& name, std::size_t out, std::size_t in,
                                DType dtype = DType::float32) const;
    /// The same without `name`.bias: a bias of zeros.
    [[nodiscard]] Linear linear_without_bias(const std::string& name, std::size_t out,
                                             std::size_t in) const;
    /// Several layers of one input as one: their outputs side by side.
    [[nodiscard]] Linear linears(const std::vector<std::string>& names, std::size_t out,
                                 std::size_t in, DType dtype = DType::float32) const;
    /// @throws FormatError "expected <expected>, as config.json says ..." if there is such a tensor
    void require_absent(const std::string& name, const std::string& expected) const;

private:
    const Safetensors& file_;
    std::string prefix_;
};

}  // namespace unitvec
