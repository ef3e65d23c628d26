#pragma once
/// TorchScript modules that read tokens, as encoders.
///
/// A TorchScript file is a program: loading and running it runs what its author wrote. Only load
/// files that you trust. Nothing else in unitvec loads one but these classes and, for images,
/// TorchScriptImageEncoder.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "unitvec/model/encoder.hpp"

namespace unitvec {

/// How a module's texts are laid out.
struct TorchScriptOptions {
    std::size_t max_positions = 0;  ///< longest text it reads, in tokens; 0: the caller cuts
    std::int32_t padding_id = 0;    ///< what stands behind a shorter text, masked
    /// Every text is padded to so many tokens, as a module traced at one length needs; 0: to the
    /// longest of those run together.
    std::size_t pad_to = 0;
};

/// Runs a module that takes (input_ids, attention_mask[, token_type_ids]), each (batch, seq_len) of
/// int64, and gives token vectors (batch, seq_len, dim): as a tensor, as "last_hidden_state" of a
/// dict or named tuple, or as the first of a tuple or list.
class TorchScriptEncoder final : public Encoder {
public:
    /// Loads and freezes the module, and runs it once on two tokens to learn its dimension.
    /// @throws FormatError if the file is no TorchScript module, or its forward raises, takes other
    ///         arguments or returns something else
    static std::unique_ptr<TorchScriptEncoder> load(const std::filesystem::path& file,
                                                    const TorchScriptOptions& options = {});
    ~TorchScriptEncoder() override;

    [[nodiscard]] std::size_t dim() const override;
    [[nodiscard]] std::size_t max_positions() const override;

    [[nodiscard]] std::size_t preferred_batch_tokens() const override { return 4096; }

    /// Texts are sorted by length and padded in groups of similar length and masked, since a
    /// traced module knows no other way; so the last bits of a vector may depend on the batch it is
    /// in.
    using Encoder::token_embeddings;
    void token_embeddings(const Batch& batch, std::size_t threads, MatrixView<float> out,
                          const std::function<void()>& between_layers) const override;

private:
    struct Module;
    explicit TorchScriptEncoder(std::unique_ptr<Module> module);
    std::unique_ptr<Module> module_;
};

/// Runs a module that pools by itself: the same arguments, but text vectors (batch, dim), as a
/// tensor, as "sentence_embedding", "text_embeds" or "pooler_output" of a dict or named tuple, or
/// as the first of a tuple or list. The text half of CLIP is one.
class TorchScriptTextEncoder {
public:
    /// As TorchScriptEncoder::load.
    static std::unique_ptr<TorchScriptTextEncoder> load(const std::filesystem::path& file,
                                                        const TorchScriptOptions& options = {});
    ~TorchScriptTextEncoder();

    [[nodiscard]] std::size_t dim() const;
    [[nodiscard]] std::size_t max_positions() const;

    /// @param threads      0: default_threads()
    /// @param on_progress  told how many texts are done after each group; may throw to stop
    /// @return shape (texts, dim), as the module scales them
    [[nodiscard]] Matrix embed(const TokenSequences& sequences, std::size_t threads,
                               const std::function<void(std::size_t)>& on_progress = {}) const;

private:
    struct Module;
    explicit TorchScriptTextEncoder(std::unique_ptr<Module> module);
    std::unique_ptr<Module> module_;
};

}  // namespace unitvec
