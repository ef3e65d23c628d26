#include "bpe_file.hpp"

#include <array>

#include "byte_level.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

std::int32_t require_id(const BpeFile& file, const std::string& place, const Vocabulary& vocabulary,
                        const std::string& token) {
    const auto id = vocabulary.find(token);
    if (!id) {
        throw FormatError(file.file, place,
                          "expected tokens of the vocabulary, which has no \"" + token + "\"");
    }
    return *id;
}

std::vector<BytePairEncoding::Merge> merges_as_ids(const BpeFile& file,
                                                   const Vocabulary& vocabulary) {
    std::vector<BytePairEncoding::Merge> merges;
    merges.reserve(file.merges.size());
    for (const auto& [left, right, place] : file.merges) {
        merges.push_back({require_id(file, place, vocabulary, left),
                          require_id(file, place, vocabulary, right),
                          require_id(file, place, vocabulary, left + right)});
    }
    return merges;
}

/// Every byte has a token, or the model has one for what it does not know.
std::array<std::int32_t, 256> byte_ids(const BpeFile& file, const Vocabulary& vocabulary) {
    std::optional<std::int32_t> unknown;
    if (!file.unknown.empty()) {
        unknown = require_id(file, file.vocabulary_field, vocabulary, file.unknown);
    }
    std::array<std::int32_t, 256> ids{};
    for (unsigned byte = 0; byte < 256; ++byte) {
        const char character = static_cast<char>(byte);
        const auto token = byte_level::spelled({&character, 1});
        const auto id = vocabulary.find(token);
        if (!id && !unknown) {
            throw FormatError(file.file, file.vocabulary_field,
                              "expected a token for every byte, or an unk_token, got none for \"" +
                                  token + "\" (byte " + std::to_string(byte) + ")");
        }
        ids[byte] = id ? *id : *unknown;
    }
    return ids;
}

std::vector<BytePairEncoding::Token> byte_tokens(const Vocabulary& vocabulary) {
    std::vector<BytePairEncoding::Token> tokens;
    for (std::size_t i = 0; i < vocabulary.size(); ++i) {
        const auto id = static_cast<std::int32_t>(i);
        if (auto bytes = byte_level::bytes_of(vocabulary.token(id))) {
            tokens.push_back({std::move(*bytes), id});
        }
    }
    return tokens;
}

}  // namespace

std::optional<std::pair<std::string, std::string>> split_merge(std::string_view text) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
        return std::nullopt;
    }
    return std::pair{std::string(text.substr(0, space)), std::string(text.substr(space + 1))};
}

BytePairEncoding make_bpe(const BpeFile& file, const Vocabulary& vocabulary) {
    return {byte_ids(file, vocabulary), merges_as_ids(file, vocabulary), byte_tokens(vocabulary),
            file.ignore_merges};
}

}  // namespace unitvec
