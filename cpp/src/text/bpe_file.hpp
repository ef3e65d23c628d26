#pragma once
/// From the names in a file to a BytePairEncoding: what both file formats of byte-level BPE share.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bpe.hpp"
#include "unitvec/text/vocabulary.hpp"

namespace unitvec {

/// A merge as files write it.
struct NamedMerge {
    std::string left, right;
    std::string place;  ///< for messages: "model.merges[3]", "line 4"
};

/// What a file says of its model.
struct BpeFile {
    std::string file;              ///< for messages
    std::string vocabulary_field;  ///< for messages
    std::string unknown;           ///< the token for bytes that have none; empty: there is none
    std::vector<NamedMerge> merges;
    bool ignore_merges = false;
};

/// The two tokens of a merge in the form "a b"; none where the text is not of that form.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> split_merge(std::string_view text);

/// @throws FormatError if a merge names a token, or makes one, that the vocabulary lacks, or a byte
///         has neither a token nor an unknown token to stand for it
[[nodiscard]] BytePairEncoding make_bpe(const BpeFile& file, const Vocabulary& vocabulary);

}  // namespace unitvec
