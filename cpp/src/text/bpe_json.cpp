/// Byte-level BPE in tokenizer.json.
#include <string>

#include "bpe_file.hpp"
#include "bpe_model.hpp"
#include "tokenizer_json.hpp"

namespace unitvec {
namespace {

ByteLevelSettings read_byte_level(const JsonField& root) {
    const auto field = root.at("pre_tokenizer");
    const auto type = field.at("type");
    if (type.string() != "ByteLevel") type.fail("ByteLevel, as the model is BPE");
    return {field.boolean_or("add_prefix_space", true), field.boolean_or("use_regex", true)};
}

/// What other kinds of BPE set, and byte-level BPE does not.
void require_byte_level(const JsonField& model) {
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
        if (!model.string_or(key, "").empty()) model.at(key).fail("none, as in byte-level BPE");
    }
    for (const char* key : {"fuse_unk", "byte_fallback"}) {
        if (model.boolean_or(key, false)) model.at(key).fail("false, as in byte-level BPE");
    }
    if (model.number_or("dropout", 0.0) != 0.0) {
        model.at("dropout").fail("none: the same text must give the same tokens");
    }
}

/// "a b", or ["a", "b"] in files that allow spaces in tokens.
std::pair<std::string, std::string> read_pair(const JsonField& field) {
    if (field.value().is_array()) {
        const auto parts = field.items();
        if (parts.size() != 2) field.fail("two tokens");
        return {parts[0].string(), parts[1].string()};
    }
    auto pair = split_merge(field.string());
    if (!pair) field.fail("two tokens and a space between them");
    return std::move(*pair);
}

std::vector<NamedMerge> read_merges(const JsonField& model) {
    std::vector<NamedMerge> merges;
    for (const auto& field : model.at("merges").items()) {
        auto [left, right] = read_pair(field);
        merges.push_back({std::move(left), std::move(right), field.path()});
    }
    return merges;
}

}  // namespace

std::unique_ptr<const SubwordModel> read_bpe_model(const JsonField& root, Normalizer normalizer,
                                                   const Vocabulary& vocabulary) {
    const auto model = root.at("model");
    require_byte_level(model);
    const BpeFile file{.file = model.file(),
                       .vocabulary_field = model.path() + ".vocab",
                       .unknown = model.string_or("unk_token", ""),
                       .merges = read_merges(model),
                       .ignore_merges = model.boolean_or("ignore_merges", false)};
    return std::make_unique<BpeModel>(std::move(normalizer), make_bpe(file, vocabulary),
                                      read_byte_level(root));
}

}  // namespace unitvec
