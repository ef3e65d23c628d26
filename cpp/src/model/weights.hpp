#pragma once
/// A transformer's weights, by what they do rather than by what a checkpoint calls them.
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

struct TransformerWeights {
    ModelConfig config;
    AlignedVector<float> word;      // (vocab, dim)
    AlignedVector<float> position;  // (positions, dim)
    AlignedVector<float> type;      // (types, dim)
    LayerNormWeights embedding_norm;
    std::vector<LayerWeights> layers;
};

/// Reads tensors of a checkpoint as float32, with their shape checked.
class WeightReader {
public:
    /// @param prefix  what stands before every name in this checkpoint ("bert." or nothing)
    WeightReader(const Safetensors& file, std::string prefix)
        : file_(file), prefix_(std::move(prefix)) {}

    /// A copy. @throws FormatError if it is absent, of another shape, or not a float tensor
    [[nodiscard]] AlignedVector<float> read(const std::string& name,
                                            const std::vector<std::size_t>& shape) const;
    /// `name`.weight and `name`.bias, or gamma and beta as checkpoints before 2019 call them.
    [[nodiscard]] LayerNormWeights layer_norm(const std::string& name, std::size_t dim) const;
    [[nodiscard]] Linear linear(const std::string& name, std::size_t out, std::size_t in) const;
    /// Several layers of one input as one: their outputs side by side.
    [[nodiscard]] Linear linears(const std::vector<std::string>& names, std::size_t out,
                                 std::size_t in) const;

private:
    const Safetensors& file_;
    std::string prefix_;
};

/// One function per architecture, each in a file of its own.
[[nodiscard]] TransformerWeights read_bert(const Safetensors& file, const ModelConfig& config);

}  // namespace unitvec
