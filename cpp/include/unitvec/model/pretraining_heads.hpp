#pragma once
/// What BERT-family models were trained with: the heads that guess masked words and next sentences.
#include <cstddef>
#include <filesystem>
#include <memory>

#include "unitvec/types.hpp"

namespace unitvec {

/// One number for each word of the vocabulary ("logits"), of a token's vector after the last layer:
///
///   h      = LayerNorm(f(W_h x + b_h))     f: the model's activation, in RoBERTa and MPNet GELU
///   logits = W_o h + b_o
///
/// W_o is the table of word vectors, unless config.json says that `tie_word_embeddings` is false.
/// A row of the logits depends on its row of x alone, bit for bit. Immutable.
///
/// Source: Devlin et al. 2018, section 3.1, https://arxiv.org/abs/1810.04805; the layers of
/// transformers' "ForMaskedLM" and "ForPreTraining".
class MaskedWordHead {
public:
    /// Reads the head from the config.json and the safetensors of a model directory.
    /// @throws FormatError if the checkpoint has no such head, or a damaged one
    static MaskedWordHead load(const std::filesystem::path& directory);

    /// Length of a token's vector.
    [[nodiscard]] std::size_t dim() const;
    [[nodiscard]] std::size_t vocab_size() const;

    /// @param tokens   shape (n, dim)
    /// @param threads  0: default_threads()
    /// @return shape (n, vocab_size)
    /// @throws std::invalid_argument if the width is another
    [[nodiscard]] Matrix operator()(MatrixView<const float> tokens, std::size_t threads) const;

private:
    struct Weights;
    explicit MaskedWordHead(std::shared_ptr<const Weights> weights)
        : weights_(std::move(weights)) {}
    std::shared_ptr<const Weights> weights_;
};

/// Two numbers of a pair of texts: that the second follows the first (class 0) and that it is some
/// other text (class 1); of the pooler's output W x + b. BERT's "seq_relationship". Immutable.
///
/// Source: Devlin et al. 2018, section 3.1.
class NextSentenceHead {
public:
    /// @throws FormatError if the checkpoint has no such head, or a damaged one
    static NextSentenceHead load(const std::filesystem::path& directory);

    [[nodiscard]] std::size_t dim() const;

    /// @param pooled   shape (n, dim): TransformerEncoder::pooler_output
    /// @param threads  0: default_threads()
    /// @return shape (n, 2)
    /// @throws std::invalid_argument if the width is another
    [[nodiscard]] Matrix operator()(MatrixView<const float> pooled, std::size_t threads) const;

private:
    struct Weights;
    explicit NextSentenceHead(std::shared_ptr<const Weights> weights)
        : weights_(std::move(weights)) {}
    std::shared_ptr<const Weights> weights_;
};

}  // namespace unitvec
