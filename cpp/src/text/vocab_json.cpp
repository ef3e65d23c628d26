/// vocab.json and merges.txt, with tokenizer_config.json beside them: GPT-2's format, which RoBERTa
/// took over.
#include <algorithm>
#include <array>

#include "added_token_files.hpp"
#include "bpe_file.hpp"
#include "bpe_model.hpp"
#include "lines.hpp"
#include "tokenizer_json.hpp"

namespace unitvec {
namespace {

void set_defaults(SpecialNames& names) {
    const auto set = [](std::string& name, const char* fallback) {
        if (name.empty()) name = fallback;
    };
    set(names.unknown, "<unk>");
    set(names.cls, "<s>");
    set(names.sep, "</s>");
    set(names.pad, "<pad>");
    set(names.mask, "<mask>");
}

void require_roberta(const std::optional<JsonField>& config) {
    const auto field = config ? config->find("tokenizer_class") : std::nullopt;
    if (!field) return;
    constexpr std::array<std::string_view, 3> kSupported{"Roberta", "Longformer", "Bart"};
    const auto is_prefix = [&field](std::string_view p) { return field->string().starts_with(p); };
    if (std::ranges::none_of(kSupported, is_prefix)) {
        field->fail("a tokenizer that reads vocab.json and merges.txt as RoBERTa's does");
    }
}

std::vector<NamedMerge> read_merges(const std::filesystem::path& path) {
    std::vector<NamedMerge> merges;
    std::size_t number = 0;
    for (const auto& line : read_lines(path)) {
        const auto place = "line " + std::to_string(++number);
        if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
        auto pair = split_merge(line);
        if (!pair) {
            throw FormatError(path.string(), place,
                              "expected two tokens and a space between them, got \"" + line + "\"");
        }
        merges.push_back({std::move(pair->first), std::move(pair->second), place});
    }
    return merges;
}

}  // namespace

TokenizerParts read_vocab_json(const std::filesystem::path& directory, SpecialNames names) {
    const auto vocabulary_path = directory / "vocab.json";
    const auto merges_path = directory / "merges.txt";
    const auto config = read_config(directory);
    require_roberta(config);
    set_defaults(names);

    const auto root = JsonField::parse_file(vocabulary_path);
    const auto vocabulary = read_vocabulary(root);
    const BpeFile file{.file = merges_path.string(),
                       .vocabulary_field = "",
                       .unknown = vocabulary.find(names.unknown) ? names.unknown : "",
                       .merges = read_merges(merges_path)};
    const bool prefix = config && config->boolean_or("add_prefix_space", false);
    auto added = read_added_tokens(directory, config, vocabulary, names);
    for (auto& token : added) {
        if (token.content == names.mask) token.lstrip = true;  // a mask stands for " word"
    }
    return {
        .vocabulary = vocabulary,
        .model = std::make_unique<BpeModel>(Normalizer(), make_bpe(file, vocabulary),
                                            ByteLevelSettings{prefix, true}),
        .added = std::move(added),
        .post_processor = PostProcessor::roberta(require_token(vocabulary, root.file(), names.cls),
                                                 require_token(vocabulary, root.file(), names.sep)),
        .trimming = {!config || config->boolean_or("trim_offsets", true), prefix},
        .decoder = {Decoder::Kind::byte_level, "", false},
        .names = names,
        .file = root.file(),
        .added_field = "added tokens"};
}

}  // namespace unitvec
