#pragma once
/// From texts to what an encoder reads: token ids of many texts, packed one after another.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "unitvec/text/tokenizer.hpp"

namespace unitvec {

/// Some texts' token ids, end to end and without padding. A view: the arrays belong to somebody
/// else.
struct Batch {
    std::span<const std::int32_t> input_ids;  ///< (tokens)
    /// (tokens), or empty: all 0; not looked at where the model has no table of more than one type
    std::span<const std::int32_t> token_type_ids;
    std::span<const std::size_t> offsets;  ///< (texts + 1): where each text begins in input_ids

    [[nodiscard]] std::size_t texts() const { return offsets.empty() ? 0 : offsets.size() - 1; }
    [[nodiscard]] std::size_t tokens() const { return input_ids.size(); }
    [[nodiscard]] std::size_t length(std::size_t text) const {
        return offsets[text + 1] - offsets[text];
    }
    [[nodiscard]] std::size_t longest() const;
};

/// Tokenised texts of any number. `full_lengths` says what truncation cost: a text was cut where
/// its full length exceeds its length here.
struct TokenSequences {
    std::vector<std::int32_t> input_ids;       ///< (tokens)
    std::vector<std::int32_t> token_type_ids;  ///< (tokens), or empty: all 0
    std::vector<std::size_t> offsets{0};       ///< (texts + 1)
    std::vector<std::size_t>
        full_lengths;  ///< (texts): tokens before truncation, special ones counted

    [[nodiscard]] std::size_t texts() const { return offsets.size() - 1; }
    [[nodiscard]] std::size_t length(std::size_t text) const {
        return offsets[text + 1] - offsets[text];
    }
    /// @param types  as many as ids for every text, or none for any
    void append(std::span<const std::int32_t> ids, std::size_t full_length,
                std::span<const std::int32_t> types = {});
};

/// All the texts as one batch: a view of `sequences`, which must outlive it.
[[nodiscard]] Batch whole_batch(const TokenSequences& sequences);

/// Tokenises texts with special tokens, each cut to `max_length` tokens (0: not cut), in parallel.
/// @param threads  0: default_threads()
[[nodiscard]] TokenSequences tokenize(const Tokenizer& tokenizer,
                                      std::span<const std::string_view> texts,
                                      std::size_t max_length, std::size_t threads);

/// The same for pairs, each as one sequence with token types: the longer text of a pair that is too
/// long loses tokens first, as with transformers' "longest_first".
[[nodiscard]] TokenSequences tokenize_pairs(const Tokenizer& tokenizer,
                                            std::span<const TextPair> pairs, std::size_t max_length,
                                            std::size_t threads);

/// Texts [first, last) of a TokenSequences.
struct TextRange {
    std::size_t first = 0;
    std::size_t last = 0;
};

/// Cuts the texts, in their order, into runs of about `batch_tokens` tokens; a longer text stands
/// alone. Without padding there is nothing to gain from sorting by length.
[[nodiscard]] std::vector<TextRange> plan_batches(std::span<const std::size_t> offsets,
                                                  std::size_t batch_tokens);

}  // namespace unitvec
