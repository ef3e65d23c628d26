#pragma once
/// Encoders: from token ids to one vector per token, and from there to one vector per text.
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "unitvec/model/batch.hpp"
#include "unitvec/model/config.hpp"
#include "unitvec/model/pooling.hpp"
#include "unitvec/types.hpp"

namespace unitvec {

/// Anything that gives every token a vector. Immutable: one encoder serves many threads at once.
class Encoder {
public:
    virtual ~Encoder() = default;
    Encoder() = default;
    Encoder(const Encoder&) = delete;
    Encoder& operator=(const Encoder&) = delete;

    [[nodiscard]] virtual std::size_t dim() const = 0;
    /// The longest text, in tokens, that it can read; 0: not known.
    [[nodiscard]] virtual std::size_t max_positions() const = 0;

    /// How many tokens a batch should hold to be worked through fastest.
    [[nodiscard]] virtual std::size_t preferred_batch_tokens() const = 0;

    /// The vector of every token after the last layer ("last_hidden_state").
    /// @param threads         0: default_threads()
    /// @param out             shape (tokens, dim)
    /// @param between_layers  called on this thread now and then; may throw to stop the work
    /// @throws std::invalid_argument for an id outside the vocabulary or a text that is too long
    /// @throws FormatError for weights that give NaN, infinities or numbers beyond 1e15
    virtual void token_embeddings(const Batch& batch, std::size_t threads, MatrixView<float> out,
                                  const std::function<void()>& between_layers) const = 0;
    /// The same as a matrix of its own, shape (tokens, dim).
    [[nodiscard]] Matrix token_embeddings(const Batch& batch, std::size_t threads) const;
};

/// A transformer of the BERT family, unpadded: a text's vectors are the same bits alone and in any
/// batch, at any number of threads.
///
///   x = LayerNorm(word[id] + position[i] + type[t])
///   each layer:  x = LayerNorm(x + W_o attention(W_q x, W_k x, W_v x))
///                x = LayerNorm(x + W_2 gelu(W_1 x))
///
/// What other architectures do differently is in src/model/architectures.
///
/// Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805; Vaswani et al. 2017, section 3.
class TransformerEncoder final : public Encoder {
public:
    /// Reads config.json and the safetensors of a model directory.
    /// @throws FormatError for anything missing, damaged or not supported
    static std::unique_ptr<TransformerEncoder> load(const std::filesystem::path& directory,
                                                    DType dtype = DType::float32);
    ~TransformerEncoder() override;

    [[nodiscard]] const ModelConfig& config() const;
    /// Number of weights, embeddings included, heads and pooler not.
    [[nodiscard]] std::size_t parameters() const;
    [[nodiscard]] std::size_t dim() const override;
    [[nodiscard]] std::size_t max_positions() const override;
    /// Large enough for full-speed matrix products, small enough that a batch's activations stay in
    /// the caches.
    [[nodiscard]] std::size_t preferred_batch_tokens() const override { return 256; }
    using Encoder::token_embeddings;
    void token_embeddings(const Batch& batch, std::size_t threads, MatrixView<float> out,
                          const std::function<void()>& between_layers) const override;

    /// The same after every layer: [0] is the static input embedding (before the first layer),
    /// [layers] equals token_embeddings. Each of shape (tokens, dim).
    [[nodiscard]] std::vector<Matrix> hidden_states(
        const Batch& batch, std::size_t threads,
        const std::function<void()>& between_layers = [] {}) const;

    /// Whether the checkpoint has the layer behind [CLS] that BERT was trained with.
    [[nodiscard]] bool has_pooler() const;
    /// tanh(W x + b), the "pooler_output", of the vectors of first tokens.
    /// @param first  shape (n, dim)
    /// @return shape (n, dim)
    /// @throws std::invalid_argument if there is no such layer
    [[nodiscard]] Matrix pooler_output(MatrixView<const float> first, std::size_t threads) const;

private:
    struct Weights;
    explicit TransformerEncoder(std::unique_ptr<const Weights> weights);
    std::unique_ptr<const Weights> weights_;
};

/// How embed() works through many texts.
struct EmbedOptions {
    PoolingPlan pooling{};
    bool normalize = true;
    std::size_t threads = 0;       ///< 0: default_threads()
    std::size_t batch_tokens = 0;  ///< 0: the encoder's preferred_batch_tokens()
    /// Told how many texts are done, on the calling thread only and at least once at the end; may
    /// throw to stop the work.
    std::function<void(std::size_t)> on_progress;
    /// Called on the calling thread between layers; may throw to stop the work.
    std::function<void()> between_layers;
};

/// Calls `visit` with each batch of texts and the vectors of its tokens, which it may not keep:
/// from several threads at once, in any order, never twice for one text.
void for_each_batch(
    const Encoder& encoder, const TokenSequences& sequences, const EmbedOptions& options,
    const std::function<void(TextRange, const Batch&, MatrixView<const float>)>& visit);

/// One vector per token of every text, end to end.
/// @return shape (tokens, dim); never normalised
[[nodiscard]] Matrix embed_tokens(const Encoder& encoder, const TokenSequences& sequences,
                                  const EmbedOptions& options);

/// One vector per text.
/// @return shape (texts, modes * dim); rows of Euclidean length 1 where `normalize` is set
[[nodiscard]] Matrix embed(const Encoder& encoder, const TokenSequences& sequences,
                           const EmbedOptions& options);

}  // namespace unitvec
