#pragma once
/// The files beside a vocabulary: settings, special tokens, added tokens.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "added_tokens.hpp"
#include "json.hpp"
#include "tokenizer_data.hpp"

namespace unitvec {

/// tokenizer_config.json, where it exists.
[[nodiscard]] std::optional<JsonField> read_config(const std::filesystem::path& directory);

/// An added token as tokenizer.json and tokenizer_config.json describe one.
/// @throws FormatError if its content is missing or empty
[[nodiscard]] AddedToken read_added_token(const JsonField& field, std::int32_t id);

/// The tokens of "added_tokens_decoder" in the settings, of added_tokens.json, and those that the
/// model has special names for, each once.
[[nodiscard]] std::vector<AddedToken> read_added_tokens(const std::filesystem::path& directory,
                                                        const std::optional<JsonField>& config,
                                                        const Vocabulary& vocabulary,
                                                        const SpecialNames& names);

/// @throws FormatError naming `file` if the vocabulary lacks the token
[[nodiscard]] std::int32_t require_token(const Vocabulary& vocabulary, const std::string& file,
                                         const std::string& name);

}  // namespace unitvec
