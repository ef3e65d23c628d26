#include "tokenizer_data.hpp"

#include <algorithm>

#include "unitvec/error.hpp"

namespace unitvec {
namespace {

/// The vocabulary with the added tokens that it lacks, whose ids must follow its own.
Vocabulary with_added(const TokenizerParts& parts) {
    std::vector<Vocabulary::Entry> entries;
    for (const auto& added : parts.added) {
        const auto known = parts.vocabulary.find(added.content);
        if (!known) {
            entries.push_back({added.content, added.id});
        } else if (*known != added.id) {
            throw FormatError(parts.file, parts.added_field,
                              "expected id " + std::to_string(*known) + " for the token \"" +
                                  added.content + "\", as in the vocabulary, got " +
                                  std::to_string(added.id));
        }
    }
    if (entries.empty()) return parts.vocabulary;
    for (std::size_t id = 0; id < parts.vocabulary.size(); ++id) {
        entries.push_back(
            {parts.vocabulary.token(static_cast<std::int32_t>(id)), static_cast<std::int64_t>(id)});
    }
    return {std::move(entries), parts.file, parts.added_field};
}

AddedTokenFinder finder(const TokenizerParts& parts, bool normalized) {
    std::vector<AddedToken> tokens;
    std::vector<std::string> patterns;
    for (const auto& token : parts.added) {
        if (token.normalized != normalized) continue;
        tokens.push_back(token);
        std::string pattern = token.content;
        if (normalized) {
            pattern.clear();
            for (const auto& c : parts.model->normalize(token.content)) {
                unicode::append_utf8(c.code, pattern);
            }
        }
        patterns.push_back(std::move(pattern));
    }
    return {std::move(tokens), std::move(patterns)};
}

std::optional<std::int32_t> first_known(const Vocabulary& tokens,
                                        std::initializer_list<std::string> names) {
    for (const auto& name : names) {
        if (name.empty()) continue;
        if (const auto id = tokens.find(name)) return id;
    }
    return std::nullopt;
}

}  // namespace

Tokenizer::Data::Data(TokenizerParts parts)
    : tokens(with_added(parts)), in_text(finder(parts, false)), in_normalized(finder(parts, true)),
      trimmer(tokens, parts.trimming), is_special(tokens.size()),
      truncation_side(parts.truncation_side.value_or(TruncationSide::right)) {
    for (const auto& token : parts.added) {
        if (token.special) is_special[static_cast<std::size_t>(token.id)] = true;
    }
    pad_id = first_known(tokens, {parts.names.pad, "[PAD]", "<pad>"});
    mask_id = first_known(tokens, {parts.names.mask, "[MASK]", "<mask>"});
    model = std::move(parts.model);
    post_processor = std::move(parts.post_processor);
    decoder = std::move(parts.decoder);
}

}  // namespace unitvec
