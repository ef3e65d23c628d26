#include "added_token_files.hpp"

#include <algorithm>
#include <map>

#include "file.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

using Ids = std::map<std::string, std::int32_t>;

std::int32_t parse_id(const JsonField& field, const std::string& key) {
    const bool digits = !key.empty() && key.size() < 10 &&
                        std::ranges::all_of(key, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) field.fail("ids as keys");
    return static_cast<std::int32_t>(std::stol(key));
}

/// {"token": id}, the way of releases before "added_tokens_decoder".
Ids read_added_ids(const std::filesystem::path& directory) {
    const auto path = directory / "added_tokens.json";
    Ids ids;
    if (!is_present(path)) return ids;
    const auto root = JsonField::parse_file(path);
    if (!root.value().is_object()) root.fail("an object of tokens and ids");
    for (const auto& [token, value] : root.value().items()) {
        if (token.empty()) root.fail("tokens that are not empty");
        ids[token] = static_cast<std::int32_t>(root.at(token).integer(0, INT32_MAX));
    }
    return ids;
}

/// Collects added tokens, each once.
class AddedTokenList {
public:
    void add(AddedToken token) {
        const auto same = [&token](const AddedToken& t) { return t.content == token.content; };
        if (std::ranges::none_of(tokens_, same)) tokens_.push_back(std::move(token));
    }

    void add_special(const Vocabulary& vocabulary, const Ids& added, const std::string& name) {
        const auto extra = added.find(name);
        if (const auto id = vocabulary.find(name)) {
            add({name, *id, /*special=*/true});
        } else if (extra != added.end()) {
            add({name, extra->second, /*special=*/true});
        }
    }

    [[nodiscard]] std::vector<AddedToken> take() { return std::move(tokens_); }

private:
    std::vector<AddedToken> tokens_;
};

}  // namespace

std::optional<JsonField> read_config(const std::filesystem::path& directory) {
    const auto path = directory / "tokenizer_config.json";
    if (!is_present(path)) return std::nullopt;
    return JsonField::parse_file(path);
}

AddedToken read_added_token(const JsonField& field, std::int32_t id) {
    AddedToken token;
    token.id = id;
    token.content = field.at("content").string();
    token.special = field.boolean_or("special", false);
    token.single_word = field.boolean_or("single_word", false);
    token.lstrip = field.boolean_or("lstrip", false);
    token.rstrip = field.boolean_or("rstrip", false);
    token.normalized = field.boolean_or("normalized", !token.special);
    if (token.content.empty()) field.at("content").fail("a token that is not empty");
    return token;
}

std::vector<AddedToken> read_added_tokens(const std::filesystem::path& directory,
                                          const std::optional<JsonField>& config,
                                          const Vocabulary& vocabulary, const SpecialNames& names) {
    AddedTokenList list;
    const auto described = config ? config->find("added_tokens_decoder") : std::nullopt;
    if (described) {
        if (!described->value().is_object()) described->fail("an object of ids and tokens");
        for (const auto& [key, value] : described->value().items()) {
            list.add(read_added_token(described->at(key), parse_id(*described, key)));
        }
    }
    const auto added = read_added_ids(directory);
    for (const auto& name : {names.unknown, names.cls, names.sep, names.pad, names.mask}) {
        list.add_special(vocabulary, added, name);
    }
    for (const auto& [token, id] : added) {
        AddedToken plain{token, id};
        plain.normalized = true;
        list.add(std::move(plain));
    }
    return list.take();
}

std::int32_t require_token(const Vocabulary& vocabulary, const std::string& file,
                           const std::string& name) {
    const auto id = vocabulary.find(name);
    if (!id) throw FormatError(file, "", "expected the token \"" + name + "\", got none");
    return *id;
}

}  // namespace unitvec
