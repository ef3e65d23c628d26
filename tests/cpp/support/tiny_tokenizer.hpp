#pragma once
/// Small tokenizer.json files, and a slow, obvious BERT tokeniser to compare with.
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/files.hpp"
#include "text/normalizer.hpp"
#include "unitvec/text/tokenizer.hpp"
#include "unitvec/text/unicode.hpp"

namespace tiny {

/// An uncased BERT tokenizer.json with the given tokens, behind [PAD] [UNK] [CLS] [SEP] [MASK].
inline nlohmann::json tokenizer_json(const std::vector<std::string>& tokens) {
    nlohmann::json vocab = nlohmann::json::object();
    nlohmann::json added = nlohmann::json::array();
    for (const char* name : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
        added.push_back({{"id", vocab.size()},
                         {"content", name},
                         {"special", true},
                         {"single_word", false},
                         {"lstrip", false},
                         {"rstrip", false},
                         {"normalized", false}});
        vocab[name] = vocab.size();
    }
    for (const auto& token : tokens) vocab[token] = vocab.size();
    return {{"version", "1.0"},
            {"truncation", {{"max_length", 4}, {"strategy", "LongestFirst"}, {"stride", 0}}},
            {"padding", nullptr},
            {"added_tokens", added},
            {"normalizer",
             {{"type", "BertNormalizer"},
              {"clean_text", true},
              {"handle_chinese_chars", true},
              {"strip_accents", nullptr},
              {"lowercase", true}}},
            {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
            {"post_processor",
             {{"type", "BertProcessing"}, {"sep", {"[SEP]", 3}}, {"cls", {"[CLS]", 2}}}},
            {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
            {"model",
             {{"type", "WordPiece"},
              {"unk_token", "[UNK]"},
              {"continuing_subword_prefix", "##"},
              {"max_input_chars_per_word", 100},
              {"vocab", vocab}}}};
}

/// Reads a file with this content.
inline unitvec::Tokenizer load(const nlohmann::json& json) {
    const TemporaryFolder folder;
    [[maybe_unused]] const auto path = folder.write("tokenizer.json", json.dump());
    return unitvec::Tokenizer::from_directory(folder.path());
}

inline std::vector<std::string> tokens_of(const unitvec::Tokenizer& tokenizer,
                                          const unitvec::Encoding& encoding) {
    std::vector<std::string> tokens;
    for (const auto id : encoding.ids) tokens.emplace_back(tokenizer.id_to_token(id));
    return tokens;
}

}  // namespace tiny
