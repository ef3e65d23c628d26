#pragma once
/// What a Tokenizer is made of, and how its files are read.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "added_tokens.hpp"
#include "decoder.hpp"
#include "offset_trimmer.hpp"
#include "post_processor.hpp"
#include "subword_model.hpp"
#include "unitvec/text/tokenizer.hpp"
#include "unitvec/text/vocabulary.hpp"

namespace unitvec {

/// The tokens that a model uses for a purpose, as tokenizer_config.json and special_tokens_map.json
/// name them; empty where they do not.
struct SpecialNames {
    std::string unknown, cls, sep, pad, mask;
};

/// What both file formats describe.
struct TokenizerParts {
    Vocabulary vocabulary;  ///< the model's own tokens
    std::unique_ptr<const SubwordModel> model;
    std::vector<AddedToken> added;
    PostProcessor post_processor;
    OffsetTrimming trimming;
    Decoder decoder;
    SpecialNames names;
    std::optional<TruncationSide> truncation_side{};  ///< as tokenizer.json says
    std::string file;                                 ///< for messages
    std::string added_field;                          ///< where the added tokens stand in it
};

struct Tokenizer::Data {
    /// @throws FormatError if an added token has another id than the vocabulary says, or the ids of
    ///         the others do not follow the vocabulary's without holes
    explicit Data(TokenizerParts parts);

    Vocabulary tokens;  ///< the model's tokens and the added ones
    std::unique_ptr<const SubwordModel> model;
    AddedTokenFinder in_text, in_normalized;
    PostProcessor post_processor;
    OffsetTrimmer trimmer;
    Decoder decoder;
    std::vector<bool> is_special;  ///< by id
    std::optional<std::int32_t> pad_id, mask_id;
    TruncationSide truncation_side;
};

/// @throws FormatError if the file is damaged or describes something that is not supported
[[nodiscard]] TokenizerParts read_tokenizer_json(const std::filesystem::path& file,
                                                 SpecialNames names);

/// Reads vocab.txt and the settings beside it. @throws FormatError as above
[[nodiscard]] TokenizerParts read_vocab_txt(const std::filesystem::path& directory,
                                            SpecialNames names);

/// Reads vocab.json, merges.txt and the settings beside them. @throws FormatError as above
[[nodiscard]] TokenizerParts read_vocab_json(const std::filesystem::path& directory,
                                             SpecialNames names);

/// From tokenizer_config.json and special_tokens_map.json, where these exist.
[[nodiscard]] SpecialNames read_special_names(const std::filesystem::path& directory);

/// As tokenizer_config.json says; goes before what tokenizer.json says, as in transformers.
[[nodiscard]] std::optional<TruncationSide> stated_truncation_side(
    const std::filesystem::path& directory);

}  // namespace unitvec
