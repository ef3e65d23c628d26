/// tokenizer.json, the format of Hugging Face's `tokenizers`.
#include "tokenizer_json.hpp"

#include "added_token_files.hpp"
#include "bert_model.hpp"

namespace unitvec {
namespace {

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
        const auto id = static_cast<std::int32_t>(field.at("id").integer(0, INT32_MAX));
        tokens.push_back(read_added_token(field, id));
    }
    return tokens;
}

Decoder read_decoder(const JsonField& root) {
    const auto field = root.find("decoder");
    if (!field) return {};
    const auto type = field->at("type");
    if (type.string() == "ByteLevel") return {Decoder::Kind::byte_level, "", false};
    if (type.string() != "WordPiece") type.fail("WordPiece or ByteLevel");
    return {Decoder::Kind::wordpiece, field->at("prefix").string(), field->at("cleanup").boolean()};
}

std::unique_ptr<const SubwordModel> read_bert_model(const JsonField& root, Normalizer normalizer,
                                                    const Vocabulary& vocabulary) {
    const auto model = root.at("model");
    const auto unknown = model.at("unk_token");
    const auto id = vocabulary.find(unknown.string());
    if (!id) unknown.fail("a token of the vocabulary");
    const auto splitting = root.at("pre_tokenizer").at("type");
    if (splitting.string() != "BertPreTokenizer") splitting.fail("BertPreTokenizer");
    WordPiece wordpiece(
        vocabulary, *id, model.at("continuing_subword_prefix").string(),
        static_cast<std::size_t>(model.at("max_input_chars_per_word").integer(0, INT32_MAX)));
    return std::make_unique<BertModel>(std::move(normalizer), std::move(wordpiece));
}

/// Files of early releases leave the type out; only BPE has merges, only WordPiece a limit for
/// words.
bool is_bpe(const JsonField& model) {
    const auto type = model.find("type");
    if (!type && !model.has("merges") && !model.has("max_input_chars_per_word")) {
        model.fail("a WordPiece or BPE model");
    }
    if (!type) return model.has("merges");
    const auto& name = type->string();
    if (name != "WordPiece" && name != "BPE") type->fail("WordPiece or BPE");
    return name == "BPE";
}

}  // namespace

TokenizerParts read_tokenizer_json(const std::filesystem::path& path, SpecialNames names) {
    const auto root = JsonField::parse_file(path);
    const auto model = root.at("model");
    const auto read_model = is_bpe(model) ? read_bpe_model : read_bert_model;
    auto vocabulary = read_vocabulary(model.at("vocab"));
    TokenizerParts parts{.vocabulary = vocabulary,
                         .model = read_model(root, read_normalizer(root), vocabulary),
                         .added = read_added_tokens(root),
                         .post_processor = {},
                         .trimming = {},
                         .decoder = read_decoder(root),
                         .names = std::move(names),
                         .truncation_side = read_truncation_side(root),
                         .file = root.file(),
                         .added_field = "added_tokens"};
    read_post_processor(root, vocabulary.size() + parts.added.size(), parts);
    return parts;
}

}  // namespace unitvec
