/// tokenizer.json, the format of Hugging Face's `tokenizers`.
#include <algorithm>

#include "bert_model.hpp"
#include "json.hpp"
#include "tokenizer_data.hpp"

namespace unitvec {
namespace {

using Kind = TemplateItem::Kind;
using Step = NormalizerStep;

void append_bert_steps(const JsonField& field, std::vector<Step>& steps) {
    const bool lowercase = field.at("lowercase").boolean();
    if (field.at("clean_text").boolean()) steps.push_back(Step::clean_text);
    if (field.at("handle_chinese_chars").boolean()) steps.push_back(Step::space_chinese_chars);
    if (field.boolean_or("strip_accents", lowercase)) {
        steps.insert(steps.end(), {Step::nfd, Step::strip_nonspacing});
    }
    if (lowercase) steps.push_back(Step::lowercase);
}

void append_steps(const JsonField& field, std::vector<Step>& steps) {
    const auto type = field.at("type");
    const auto& name = type.string();
    if (name == "Sequence") {
        for (const auto& part : field.at("normalizers").items()) append_steps(part, steps);
    } else if (name == "BertNormalizer") {
        append_bert_steps(field, steps);
    } else if (name == "NFD") {
        steps.push_back(Step::nfd);
    } else if (name == "StripAccents") {
        steps.push_back(Step::strip_marks);
    } else if (name == "Lowercase") {
        steps.push_back(Step::lowercase);
    } else {
        type.fail("BertNormalizer, NFD, StripAccents, Lowercase or a Sequence of them");
    }
}

Normalizer read_normalizer(const JsonField& root) {
    std::vector<Step> steps;
    if (const auto field = root.find("normalizer")) append_steps(*field, steps);
    return Normalizer(std::move(steps));
}

std::vector<AddedToken> read_added_tokens(const JsonField& root) {
    std::vector<AddedToken> tokens;
    const auto list = root.find("added_tokens");
    if (!list) return tokens;
    for (const auto& field : list->items()) {
        AddedToken token;
        token.id = static_cast<std::int32_t>(field.at("id").integer(0, INT32_MAX));
        token.content = field.at("content").string();
        token.special = field.boolean_or("special", false);
        token.single_word = field.boolean_or("single_word", false);
        token.lstrip = field.boolean_or("lstrip", false);
        token.rstrip = field.boolean_or("rstrip", false);
        token.normalized = field.boolean_or("normalized", !token.special);
        if (token.content.empty()) field.at("content").fail("a token that is not empty");
        tokens.push_back(std::move(token));
    }
    return tokens;
}

/// Reads post-processors; ids are checked against the number of tokens.
class PostProcessorReader {
public:
    explicit PostProcessorReader(std::size_t tokens)
        : max_id_(static_cast<std::int64_t>(tokens) - 1) {}

    [[nodiscard]] PostProcessor read(const JsonField& root) const {
        const auto field = root.find("post_processor");
        if (!field) return {};
        const auto type = field->at("type");
        const auto& name = type.string();
        if (name == "TemplateProcessing") return read_template(*field);
        if (name == "BertProcessing") return read_bert(*field);
        if (name == "RobertaProcessing") return read_roberta(*field);
        type.fail("TemplateProcessing, BertProcessing or RobertaProcessing");
    }

private:
    [[nodiscard]] std::int32_t id(const JsonField& field) const {
        return static_cast<std::int32_t>(field.integer(0, max_id_));
    }

    /// ["[SEP]", 102]
    [[nodiscard]] std::int32_t named_id(const JsonField& field) const {
        const auto items = field.items();
        if (items.size() != 2) field.fail("a token and its id");
        return id(items[1]);
    }

    [[nodiscard]] PostProcessor read_bert(const JsonField& field) const {
        const auto cls = named_id(field.at("cls"));
        const auto sep = named_id(field.at("sep"));
        Template single{{Kind::special, cls}, {Kind::first}, {Kind::special, sep}};
        Template pair = single;
        pair.insert(pair.end(), {{Kind::second, 0, 1}, {Kind::special, sep, 1}});
        return {std::move(single), std::move(pair)};
    }

    [[nodiscard]] PostProcessor read_roberta(const JsonField& field) const {
        const auto cls = named_id(field.at("cls"));
        const auto sep = named_id(field.at("sep"));
        Template single{{Kind::special, cls}, {Kind::first}, {Kind::special, sep}};
        Template pair = single;
        pair.insert(pair.end(), {{Kind::special, sep}, {Kind::second}, {Kind::special, sep}});
        return {std::move(single), std::move(pair)};
    }

    [[nodiscard]] PostProcessor read_template(const JsonField& field) const {
        const auto special = field.at("special_tokens");
        auto single = read_items(field.at("single"), special);
        auto pair = read_items(field.at("pair"), special);
        require_texts(field.at("single"), single, 1, 0);
        require_texts(field.at("pair"), pair, 1, 1);
        return {std::move(single), std::move(pair)};
    }

    [[nodiscard]] Template read_items(const JsonField& list, const JsonField& special) const {
        Template items;
        for (const auto& field : list.items()) {
            if (const auto token = field.find("SpecialToken")) {
                const auto type_id = read_type_id(*token);
                const auto ids = special.at(token->at("id").string()).at("ids");
                for (const auto& i : ids.items()) items.push_back({Kind::special, id(i), type_id});
            } else {
                const auto text = field.at("Sequence");
                const auto name = text.at("id").string();
                if (name != "A" && name != "B") text.at("id").fail("\"A\" or \"B\"");
                items.push_back({name == "A" ? Kind::first : Kind::second, 0, read_type_id(text)});
            }
        }
        return items;
    }

    static std::int32_t read_type_id(const JsonField& field) {
        return static_cast<std::int32_t>(field.at("type_id").integer(0, INT32_MAX));
    }

    static void require_texts(const JsonField& field, const Template& items, int first,
                              int second) {
        if (std::ranges::count(items, Kind::first, &TemplateItem::kind) != first ||
            std::ranges::count(items, Kind::second, &TemplateItem::kind) != second) {
            field.fail(second == 0 ? "the text A once and no text B" : "the texts A and B once");
        }
    }

    std::int64_t max_id_;
};

Decoder read_decoder(const JsonField& root) {
    const auto field = root.find("decoder");
    if (!field) return {};
    const auto type = field->at("type");
    if (type.string() != "WordPiece") type.fail("WordPiece");
    return {Decoder::Kind::wordpiece, field->at("prefix").string(), field->at("cleanup").boolean()};
}

Vocabulary read_vocabulary(const JsonField& model) {
    const auto field = model.at("vocab");
    if (!field.value().is_object()) field.fail("an object of tokens and ids");
    std::vector<Vocabulary::Entry> entries;
    entries.reserve(field.value().size());
    for (const auto& [token, id] : field.value().items()) {
        if (!id.is_number_integer()) {
            throw FormatError(
                field.file(), field.path(),
                "expected an integer as the id of \"" + token + "\", got " + id.dump());
        }
        entries.push_back({token, id.get<std::int64_t>()});
    }
    return {std::move(entries), field.file(), field.path()};
}

WordPiece read_wordpiece(const JsonField& model, const Vocabulary& vocabulary) {
    const auto unknown = model.at("unk_token");
    const auto id = vocabulary.find(unknown.string());
    if (!id) unknown.fail("a token of the vocabulary");
    return {vocabulary, *id, model.at("continuing_subword_prefix").string(),
            static_cast<std::size_t>(model.at("max_input_chars_per_word").integer(0, INT32_MAX))};
}

void require_bert_splitting(const JsonField& root) {
    const auto type = root.at("pre_tokenizer").at("type");
    if (type.string() != "BertPreTokenizer") type.fail("BertPreTokenizer");
}

}  // namespace

TokenizerParts read_tokenizer_json(const std::filesystem::path& path, SpecialNames names) {
    const auto root = JsonField::parse_file(path);
    const auto model = root.at("model");
    // Files of early releases leave the type out; only WordPiece has a limit for words.
    const auto type = model.find("type");
    if (type && type->string() != "WordPiece") type->fail("WordPiece");
    if (!type && !model.has("max_input_chars_per_word")) model.fail("a WordPiece model");
    auto vocabulary = read_vocabulary(model);
    auto wordpiece = read_wordpiece(model, vocabulary);
    require_bert_splitting(root);
    auto added = read_added_tokens(root);
    const PostProcessorReader reader(vocabulary.size() + added.size());
    return {std::move(vocabulary),
            std::make_unique<BertModel>(read_normalizer(root), std::move(wordpiece)),
            std::move(added),
            reader.read(root),
            read_decoder(root),
            std::move(names),
            root.file(),
            "added_tokens"};
}

}  // namespace unitvec
