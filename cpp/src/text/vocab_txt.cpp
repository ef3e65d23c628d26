/// vocab.txt, one token a line, with tokenizer_config.json beside it: BERT's own format.
#include <algorithm>

#include "bert_model.hpp"
#include "file.hpp"
#include "json.hpp"
#include "tokenizer_data.hpp"

namespace unitvec {
namespace {

using Kind = TemplateItem::Kind;
using Step = NormalizerStep;

bool is_utf8(std::string_view text) {
    return unicode::encode(unicode::decode(text)) == text;
}

std::vector<Vocabulary::Entry> read_lines(const std::filesystem::path& path) {
    const auto text = read_file(path);
    std::vector<Vocabulary::Entry> entries;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        auto line = std::string_view(text).substr(begin, end - begin);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!is_utf8(line)) {
            throw FormatError(path.string(), "line " + std::to_string(entries.size() + 1),
                              "expected UTF-8, got other bytes");
        }
        entries.push_back({std::string(line), static_cast<std::int64_t>(entries.size())});
        begin = end + 1;
    }
    return entries;
}

/// Settings of BertTokenizer, with its defaults where the file says nothing.
Normalizer read_normalizer(const std::optional<JsonField>& config) {
    const auto flag = [&config](std::string_view key, bool fallback) {
        return config ? config->boolean_or(key, fallback) : fallback;
    };
    const bool lowercase = flag("do_lower_case", true);
    std::vector<Step> steps{Step::clean_text};
    if (flag("tokenize_chinese_chars", true)) steps.push_back(Step::space_chinese_chars);
    if (flag("strip_accents", lowercase)) {
        steps.insert(steps.end(), {Step::nfd, Step::strip_nonspacing});
    }
    if (lowercase) steps.push_back(Step::lowercase);
    return Normalizer(std::move(steps));
}

AddedToken read_added(const JsonField& field, std::int32_t id) {
    AddedToken token;
    token.id = id;
    token.content = field.at("content").string();
    token.special = field.boolean_or("special", false);
    token.single_word = field.boolean_or("single_word", false);
    token.lstrip = field.boolean_or("lstrip", false);
    token.rstrip = field.boolean_or("rstrip", false);
    token.normalized = field.boolean_or("normalized", !token.special);
    return token;
}

std::int32_t parse_id(const JsonField& field, const std::string& key) {
    const bool digits = !key.empty() && key.size() < 10 &&
                        std::ranges::all_of(key, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) field.fail("ids as keys");
    return static_cast<std::int32_t>(std::stol(key));
}

/// Collects added tokens, each once.
class AddedTokenList {
public:
    void add(AddedToken token) {
        const auto same = [&token](const AddedToken& t) { return t.content == token.content; };
        if (std::ranges::none_of(tokens_, same)) tokens_.push_back(std::move(token));
    }

    void add_special(const Vocabulary& vocabulary, const std::string& name) {
        if (const auto id = vocabulary.find(name)) add({name, *id, /*special=*/true});
    }

    [[nodiscard]] std::vector<AddedToken> take() { return std::move(tokens_); }

private:
    std::vector<AddedToken> tokens_;
};

std::vector<AddedToken> read_added_tokens(const std::optional<JsonField>& config,
                                          const Vocabulary& vocabulary, const SpecialNames& names) {
    AddedTokenList list;
    const auto described = config ? config->find("added_tokens_decoder") : std::nullopt;
    if (described) {
        if (!described->value().is_object()) described->fail("an object of ids and tokens");
        for (const auto& [key, value] : described->value().items()) {
            list.add(read_added(described->at(key), parse_id(*described, key)));
        }
    }
    for (const auto& name : {names.unknown, names.cls, names.sep, names.pad, names.mask}) {
        list.add_special(vocabulary, name);
    }
    return list.take();
}

std::int32_t require_token(const Vocabulary& vocabulary, const std::string& file,
                           const std::string& name) {
    const auto id = vocabulary.find(name);
    if (!id) throw FormatError(file, "", "expected the token \"" + name + "\", got none");
    return *id;
}

/// MPNet was trained with RoBERTa's way of joining two texts.
PostProcessor make_post_processor(const std::string& tokenizer_class, std::int32_t cls,
                                  std::int32_t sep) {
    Template single{{Kind::special, cls}, {Kind::first}, {Kind::special, sep}};
    Template pair = single;
    if (tokenizer_class.starts_with("MPNet")) {
        pair.insert(pair.end(), {{Kind::special, sep}, {Kind::second}, {Kind::special, sep}});
    } else {
        pair.insert(pair.end(), {{Kind::second, 0, 1}, {Kind::special, sep, 1}});
    }
    return {std::move(single), std::move(pair)};
}

void set_defaults(SpecialNames& names, bool mpnet) {
    const auto set = [](std::string& name, const char* fallback) {
        if (name.empty()) name = fallback;
    };
    set(names.unknown, "[UNK]");
    set(names.cls, mpnet ? "<s>" : "[CLS]");
    set(names.sep, mpnet ? "</s>" : "[SEP]");
    set(names.pad, mpnet ? "<pad>" : "[PAD]");
    set(names.mask, mpnet ? "<mask>" : "[MASK]");
}

/// Empty where the file does not say. @throws FormatError for a tokeniser that is not WordPiece
std::string read_class(const std::optional<JsonField>& config) {
    const auto field = config ? config->find("tokenizer_class") : std::nullopt;
    if (!field) return {};
    const auto& name = field->string();
    constexpr std::string_view kSupported[] = {"Bert",  "DistilBert",  "Electra",   "MobileBert",
                                               "MPNet", "Lxmert",      "ConvBert",  "Funnel",
                                               "Basic", "SqueezeBert", "Retribert", "LayoutLM"};
    const bool known = std::ranges::any_of(
        kSupported, [&name](std::string_view prefix) { return name.starts_with(prefix); });
    if (!known) field->fail("a tokenizer that reads vocab.txt as BERT's does");
    return name;
}

}  // namespace

TokenizerParts read_vocab_txt(const std::filesystem::path& directory, SpecialNames names) {
    const auto path = directory / "vocab.txt";
    if (!std::filesystem::exists(path)) {
        throw FormatError(directory.string(), "",
                          "expected tokenizer.json or vocab.txt, got neither");
    }
    const auto config_path = directory / "tokenizer_config.json";
    std::optional<JsonField> config;
    if (std::filesystem::exists(config_path)) config = JsonField::parse_file(config_path);
    const auto tokenizer_class = read_class(config);
    set_defaults(names, tokenizer_class.starts_with("MPNet"));

    const auto file = path.string();
    const Vocabulary vocabulary(read_lines(path), file, "");
    const auto unknown = require_token(vocabulary, file, names.unknown);
    const auto cls = require_token(vocabulary, file, names.cls);
    const auto sep = require_token(vocabulary, file, names.sep);
    constexpr std::size_t kMaxChars = 100;  // BERT's limit; the format has no place to say another
    return {vocabulary,
            std::make_unique<BertModel>(read_normalizer(config),
                                        WordPiece(vocabulary, unknown, "##", kMaxChars)),
            read_added_tokens(config, vocabulary, names),
            make_post_processor(tokenizer_class, cls, sep),
            {Decoder::Kind::wordpiece, "##", true},
            std::move(names),
            file,
            "added tokens"};
}

}  // namespace unitvec
