#pragma once
/// The parts of tokenizer.json that are read in sources of their own. Each throws FormatError for
/// what is damaged or not supported.
#include <cstddef>
#include <memory>
#include <optional>

#include "json.hpp"
#include "normalizer.hpp"
#include "tokenizer_data.hpp"

namespace unitvec {

/// {"token": id, ...}
[[nodiscard]] Vocabulary read_vocabulary(const JsonField& field);

/// Sets parts.post_processor and parts.trimming.
/// @param tokens  ids are below this number
void read_post_processor(const JsonField& root, std::size_t tokens, TokenizerParts& parts);

/// The end of a text that the file's truncation cuts off; nothing where the file does not say. What
/// else it says of truncation is not read.
[[nodiscard]] std::optional<TruncationSide> read_truncation_side(const JsonField& root);

/// The model of a file whose `model` is BPE.
[[nodiscard]] std::unique_ptr<const SubwordModel> read_bpe_model(const JsonField& root,
                                                                 Normalizer normalizer,
                                                                 const Vocabulary& vocabulary);

}  // namespace unitvec
