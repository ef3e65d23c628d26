#pragma once
/// The head of transformers' "ForSequenceClassification": from a text's first token to its scores.
#include <cstddef>
#include <filesystem>
#include <memory>

#include "unitvec/types.hpp"

namespace unitvec {

/// One number for each label, before any activation ("logits"), of what a transformer says of the
/// first token, [CLS]:
///
///   h      = f(W_h x + b_h)        f: tanh, in DistilBERT ReLU, in ELECTRA GELU
///   logits = W_o h + b_o
///
/// In BERT and ALBERT h is the pooler's output. A row of the logits depends on its row of x alone,
/// bit for bit. Immutable.
class ClassificationHead {
public:
    /// Reads the head from the config.json and the safetensors of a model directory.
    /// @throws FormatError if the checkpoint has no such head, or a damaged one
    static ClassificationHead load(const std::filesystem::path& directory);

    /// Length of a token's vector.
    [[nodiscard]] std::size_t dim() const;
    [[nodiscard]] std::size_t labels() const;

    /// @param first    shape (n, dim): vectors of first tokens after the last layer
    /// @param threads  0: default_threads()
    /// @return shape (n, labels)
    /// @throws std::invalid_argument if the width is another
    [[nodiscard]] Matrix operator()(MatrixView<const float> first, std::size_t threads) const;

private:
    struct Weights;
    explicit ClassificationHead(std::shared_ptr<const Weights> weights)
        : weights_(std::move(weights)) {}
    std::shared_ptr<const Weights> weights_;
};

}  // namespace unitvec
