#pragma once
/// A TorchScript module as an encoder.
#include <filesystem>
#include <memory>

#include "unitvec/model/encoder.hpp"

namespace unitvec {

/// Runs a module that takes (input_ids, attention_mask[, token_type_ids]), each (batch, seq_len) of
/// int64, and gives token vectors (batch, seq_len, dim): as a tensor, as the first of a tuple or
/// list, or as "last_hidden_state" of a dict.
///
/// A TorchScript file is a program: loading and running it runs what its author wrote. Only load
/// files that you trust. Nothing else in unitvec loads one.
class TorchScriptEncoder final : public Encoder {
public:
    /// Loads and freezes the module, and runs it once on two tokens to learn its dimension.
    /// @param max_positions  the longest text it can read, in tokens; 0: not known, so the caller
    /// cuts
    /// @throws FormatError if the file is no TorchScript module or its output is not as above
    static std::unique_ptr<TorchScriptEncoder> load(const std::filesystem::path& file,
                                                    std::size_t max_positions);
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

}  // namespace unitvec
