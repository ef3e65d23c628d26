#pragma once
/// The tokeniser: text in, token ids out, the same ones as Hugging Face's `tokenizers`.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unitvec/text/encoding.hpp"

namespace unitvec {

class IdSink;

/// One text or a pair of texts, both UTF-8. Bytes that are not UTF-8 read as U+FFFD, one for each
/// maximal ill-formed sequence; BERT's cleaning then removes them, byte-level BPE keeps them.
struct TextPair {
    std::string_view first;
    std::optional<std::string_view> second = {};
};

/// The tokeniser of one model. Immutable: a copy is cheap and shares everything, and any number of
/// threads may use one at the same time.
///
/// Of the truncation and padding that a tokenizer.json stores, only the side that is cut off is
/// obeyed: MiniLM's file says 128 tokens where the model's limit is 256. The caller says what is
/// wanted.
class Tokenizer {
public:
    /// Reads `tokenizer.json` (WordPiece or byte-level BPE), else `vocab.json` with `merges.txt`,
    /// else `vocab.txt`; the latter with `tokenizer_config.json`, `special_tokens_map.json` and
    /// `added_tokens.json` where these exist.
    ///
    /// @throws FormatError naming file and field if there is none, if one is damaged (a token
    /// twice,
    ///         ids with holes, no unknown token) or of a kind that is not supported
    static Tokenizer from_directory(const std::filesystem::path& directory);

    /// Tokens of a text or a pair with all that is known about them.
    ///
    /// @throws std::invalid_argument if `options` cannot be met: no room for the special tokens, a
    ///         stride that leaves no room for progress, a strategy that cannot cut enough
    [[nodiscard]] Encoding encode(std::string_view text, std::optional<std::string_view> pair = {},
                                  const EncodeOptions& options = {}) const;

    /// The same for many texts on `threads` threads (0: all that the process may use).
    [[nodiscard]] std::vector<Encoding> encode_batch(std::span<const TextPair> texts,
                                                     const EncodeOptions& options = {},
                                                     std::size_t threads = 0) const;

    /// Appends the ids of one text between its special tokens to `ids`, at most `max_length` of
    /// them (0: no limit): the encoder's way, without offsets and without an allocation per token.
    /// What is too long is cut at truncation_side().
    ///
    /// @return how many tokens the whole text has, special ones counted: more than were appended if
    ///         and only if something was cut off
    /// @throws std::invalid_argument if `max_length` has no room for the special tokens
    std::size_t append_ids(std::string_view text, std::size_t max_length,
                           std::vector<std::int32_t>& ids) const;

    /// The same for a pair as one sequence, with the types that the model's template gives; where
    /// it is too long, the longer text is cut first (TruncationStrategy::longest_first).
    std::size_t append_ids(const TextPair& pair, std::size_t max_length,
                           std::vector<std::int32_t>& ids,
                           std::vector<std::int32_t>& type_ids) const;

    /// Special tokens that are put around one text, or around a pair.
    [[nodiscard]] std::size_t special_token_count(bool pair = false) const;

    [[nodiscard]] std::optional<std::int32_t> token_to_id(std::string_view token) const;
    /// @throws std::out_of_range unless `id` has a token
    [[nodiscard]] std::string_view id_to_token(std::int32_t id) const;
    /// Ids in use, added tokens counted: ids are 0 ... vocab_size() - 1.
    [[nodiscard]] std::size_t vocab_size() const;

    /// Which end of a text that is too long is cut off, as tokenizer_config.json says
    /// ("truncation_side"), else the truncation that tokenizer.json stores; else the right one.
    [[nodiscard]] TruncationSide truncation_side() const;

    /// The id that padding uses ([PAD] of the file; nothing where there is none).
    [[nodiscard]] std::optional<std::int32_t> pad_id() const;
    /// The id that a masked position has ([MASK] of the file; nothing where there is none).
    [[nodiscard]] std::optional<std::int32_t> mask_id() const;
    /// True for [CLS], [SEP] and whatever else the file marks as special.
    [[nodiscard]] bool is_special(std::int32_t id) const;

    /// Text of tokens: pieces joined, words separated by a space.
    ///
    /// @param clean_up  drop the spaces before punctuation and in English contractions; nothing: as
    ///                  the file's decoder says
    /// @throws std::out_of_range if an id has no token
    [[nodiscard]] std::string decode(std::span<const std::int32_t> ids,
                                     bool skip_special_tokens = true,
                                     std::optional<bool> clean_up = {}) const;

    /// What a Tokenizer is made of; defined in src/text.
    struct Data;
    explicit Tokenizer(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

private:
    void append_text_ids(std::string_view text, IdSink& ids) const;

    std::shared_ptr<const Data> data_;
};

}  // namespace unitvec
