#include <algorithm>

#include "unitvec/error.hpp"
#include "unitvec/model/encoder.hpp"
#include "unitvec/normalize.hpp"

namespace unitvec {
namespace {

/// Texts [range.first, range.last) as a batch; `offsets` receives their begins, counted from 0.
Batch batch_of(const TokenSequences& sequences, TextRange range,
               std::vector<std::size_t>& offsets) {
    const std::size_t begin = sequences.offsets[range.first];
    const std::size_t end = sequences.offsets[range.last];
    offsets.clear();
    for (std::size_t t = range.first; t <= range.last; ++t) {
        offsets.push_back(sequences.offsets[t] - begin);
    }
    return {.input_ids = std::span(sequences.input_ids).subspan(begin, end - begin),
            .token_type_ids = {},
            .offsets = offsets};
}

}  // namespace

void for_each_batch(const Encoder& encoder, const TokenSequences& sequences,
                    const EmbedOptions& options,
                    const std::function<void(TextRange, const Batch&, Matrix&&)>& visit) {
    const std::size_t batch_tokens =
        options.batch_tokens == 0 ? encoder.preferred_batch_tokens() : options.batch_tokens;
    std::vector<std::size_t> offsets;
    for (const TextRange range : plan_batches(sequences.offsets, batch_tokens)) {
        const Batch batch = batch_of(sequences, range, offsets);
        visit(range, batch, encoder.token_embeddings(batch, options.threads));
        if (options.on_progress) options.on_progress(range.last);
    }
}

Matrix embed(const Encoder& encoder, const TokenSequences& sequences, const EmbedOptions& options) {
    Matrix out(sequences.texts(), encoder.dim());
    for_each_batch(encoder, sequences, options,
                   [&](TextRange range, const Batch& batch, Matrix&& tokens) {
                       const auto rows = out.view().middle_rows(range.first, batch.texts());
                       pool(tokens.view(), batch.offsets, options.pooling, rows);
                       if (options.normalize) l2_normalize(rows, rows);
                   });
    return out;
}

Matrix embed_tokens(const Encoder& encoder, const TokenSequences& sequences,
                    const EmbedOptions& options) {
    Matrix out(sequences.input_ids.size(), encoder.dim());
    for_each_batch(encoder, sequences, options,
                   [&](TextRange range, const Batch&, Matrix&& tokens) {
                       std::copy_n(tokens.data(), tokens.view().size(),
                                   out.row(sequences.offsets[range.first]).data());
                   });
    return out;
}

}  // namespace unitvec
