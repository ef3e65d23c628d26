/// vocab.txt, one token a line, with tokenizer_config.json beside it: BERT's own format.
#include <algorithm>

#include "added_token_files.hpp"
#include "bert_model.hpp"
#include "file.hpp"
#include "lines.hpp"

namespace unitvec {
namespace {

using Step = NormalizerStep;

std::vector<Vocabulary::Entry> read_entries(const std::filesystem::path& path) {
    std::vector<Vocabulary::Entry> entries;
    for (auto& line : read_lines(path)) {
        entries.push_back({std::move(line), static_cast<std::int64_t>(entries.size())});
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
    if (!is_present(path)) {
        throw FormatError(
            directory.string(), "",
            "expected tokenizer.json, vocab.txt, or vocab.json with merges.txt, got none");
    }
    const auto config = read_config(directory);
    const auto tokenizer_class = read_class(config);
    const bool mpnet = tokenizer_class.starts_with("MPNet");  // trained with RoBERTa's pairs
    set_defaults(names, mpnet);

    const auto file = path.string();
    const Vocabulary vocabulary(read_entries(path), file, "");
    const auto unknown = require_token(vocabulary, file, names.unknown);
    const auto cls = require_token(vocabulary, file, names.cls);
    const auto sep = require_token(vocabulary, file, names.sep);
    constexpr std::size_t kMaxChars = 100;  // BERT's limit; the format has no place to say another
    return {
        .vocabulary = vocabulary,
        .model = std::make_unique<BertModel>(read_normalizer(config),
                                             WordPiece(vocabulary, unknown, "##", kMaxChars)),
        .added = read_added_tokens(directory, config, vocabulary, names),
        .post_processor = mpnet ? PostProcessor::roberta(cls, sep) : PostProcessor::bert(cls, sep),
        .trimming = {},
        .decoder = {Decoder::Kind::wordpiece, "##", true},
        .names = std::move(names),
        .file = file,
        .added_field = "added tokens"};
}

}  // namespace unitvec
