#include "unitvec/text/vocabulary.hpp"

#include <algorithm>
#include <stdexcept>

#include "trie.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

std::string quoted(const std::string& token) {
    return '"' + token + '"';
}

/// The tokens by id. @throws FormatError if an id is out of range or taken twice
std::vector<std::string> by_id(std::vector<Vocabulary::Entry> entries, const std::string& file,
                               const std::string& field) {
    const auto size = static_cast<std::int64_t>(entries.size());
    std::vector<std::string> tokens(entries.size());
    std::vector<bool> taken(entries.size());
    for (auto& [token, id] : entries) {
        const auto got = "id " + std::to_string(id) + " for the token " + quoted(token);
        if (id < 0 || id >= size) {
            throw FormatError(file, field,
                              "expected ids 0 ... " + std::to_string(size - 1) +
                                  " without holes for " + std::to_string(size) + " tokens, got " +
                                  got);
        }
        const auto i = static_cast<std::size_t>(id);
        if (taken[i]) throw FormatError(file, field, "expected every id once, got another " + got);
        taken[i] = true;
        tokens[i] = std::move(token);
    }
    return tokens;
}

}  // namespace

Vocabulary::Vocabulary(std::vector<Entry> entries, const std::string& file,
                       const std::string& field) {
    if (entries.empty()) throw FormatError(file, field, "expected tokens, got none");
    if (entries.size() > INT32_MAX) throw FormatError(file, field, "expected fewer tokens");
    auto tokens =
        std::make_shared<const std::vector<std::string>>(by_id(std::move(entries), file, field));
    std::vector<Trie::Entry> keys;
    keys.reserve(tokens->size());
    for (std::size_t id = 0; id < tokens->size(); ++id) {
        keys.push_back({(*tokens)[id], static_cast<std::int32_t>(id)});
    }
    std::ranges::sort(keys, {}, &Trie::Entry::key);
    for (std::size_t i = 1; i < keys.size(); ++i) {
        if (keys[i].key == keys[i - 1].key) {
            throw FormatError(file, field,
                              "expected every token once, got " + quoted(std::string(keys[i].key)) +
                                  " as " + std::to_string(keys[i - 1].value) + " and " +
                                  std::to_string(keys[i].value));
        }
    }
    tokens_ = std::move(tokens);
    trie_ = std::make_shared<const Trie>(std::move(keys));
}

std::optional<std::int32_t> Vocabulary::find(std::string_view token) const {
    const auto id = trie_->find(token);
    return id < 0 ? std::nullopt : std::optional(id);
}

const std::string& Vocabulary::token(std::int32_t id) const {
    if (id < 0 || static_cast<std::size_t>(id) >= size()) {
        throw std::out_of_range("[id_to_token] expected an id in [0, " + std::to_string(size()) +
                                "), got " + std::to_string(id));
    }
    return (*tokens_)[static_cast<std::size_t>(id)];
}

}  // namespace unitvec
