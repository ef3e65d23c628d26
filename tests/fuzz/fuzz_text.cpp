/// Any bytes as text: the quick scanners beside the slow way, which normalises the whole text
/// first. And cut into words: no character is lost or stands in two of them.
#include <cstdint>
#include <vector>

#include "bert_model.hpp"
#include "bpe_model.hpp"
#include "byte_level.hpp"
#include "support.hpp"
#include "unitvec/text/words.hpp"
#include "word_class.hpp"

using namespace unitvec;
using Step = NormalizerStep;

namespace {

/// Tokens for letters with and without marks, so that words become pieces and not all [UNK].
Vocabulary vocabulary() {
    std::vector<Vocabulary::Entry> entries;
    const auto add = [&](std::string token) {
        entries.push_back({std::move(token), static_cast<std::int64_t>(entries.size())});
    };
    add("[UNK]");
    for (char32_t c = 0x21; c < 0x250; ++c) {
        if (c >= 0x7F && c < 0xA1) continue;
        add(unicode::encode(std::u32string(1, c)));
        add("##" + unicode::encode(std::u32string(1, c)));
    }
    for (char32_t c : {U'\u0301', U'\u0323', U'\u4E2D', U'\u65E5', U'\u0915'}) {
        add(unicode::encode(std::u32string(1, c)));
        add("##" + unicode::encode(std::u32string(1, c)));
    }
    for (const char* word : {"the", "##ing", "in", "##aff"}) add(word);
    return {std::move(entries), "fuzz", ""};
}

BertModel bert(std::vector<Step> steps) {
    return {Normalizer(std::move(steps)), WordPiece(vocabulary(), 0, "##", 100)};
}

void check_same(const SubwordModel& model, std::string_view text) {
    Pieces quick;
    model.append_pieces(text, quick);
    Pieces slow;
    model.append_normalized(model.normalize(text), slow);
    std::vector<std::int32_t> ids;
    IdSink sink(ids, SIZE_MAX, TruncationSide::right);
    model.append_ids(text, sink);
    fuzz::require(sink.finish() == ids.size(), "no id was cut");
    fuzz::require(quick.tokens.size() == slow.tokens.size() && ids.size() == slow.tokens.size(),
                  "the quick way gives as many tokens as the slow way");
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto& a = quick.tokens[i];
        const auto& b = slow.tokens[i];
        fuzz::require(a.id == b.id && ids[i] == b.id, "the same ids");
        fuzz::require(a.begin == b.begin && a.end == b.end, "the same places");
        fuzz::require(a.word == b.word, "the same words");
    }
    fuzz::require(quick.position == unicode::count_code_points(text), "the whole text was read");
}

BpeModel bpe(ByteLevelSettings settings) {
    std::array<std::int32_t, 256> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::int32_t>(i);
    const std::vector<BytePairEncoding::Merge> merges{
        {'a', 'b', 256}, {256, 'c', 257}, {' ', 'a', 258}, {0xC3, 0xA9, 259}, {' ', ' ', 260},
        {260, 260, 261}, {'c', 'c', 262}, {262, 262, 263}, {'b', 262, 264}};
    return {Normalizer(), BytePairEncoding(bytes, merges, {{"abc", 257}, {" a", 258}}, false),
            settings};
}

bool may_be_left_out(char32_t code) {
    const auto kind = word_class(code);
    return kind == WordClass::space || kind == WordClass::format;
}

void check_words(const WordRules& rules, std::string_view text) {
    std::vector<Word> words;
    split_words(text, rules, words);
    words.push_back({text.size(), text.size(), WordKind::word});
    std::size_t behind = 0;
    for (const auto& word : words) {
        fuzz::require(word.begin >= behind, "words do not overlap");
        for (const auto code : unicode::decode(text.substr(behind, word.begin - behind))) {
            fuzz::require(may_be_left_out(code), "only white space is left out");
        }
        fuzz::require(word.end > word.begin || word.begin == text.size(), "no word is empty");
        behind = word.end;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const BertModel models[] = {
        bert({Step::clean_text, Step::space_chinese_chars, Step::nfd, Step::strip_nonspacing,
              Step::lowercase}),
        bert({Step::clean_text, Step::space_chinese_chars}),
        bert({Step::nfd, Step::strip_marks}),
        bert({Step::nfd, Step::lowercase}),
    };
    static const BpeModel plain = bpe({false, true});
    static const BpeModel prefixed = bpe({true, true});
    static const BpeModel unsplit = bpe({false, false});
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const auto& model : models) check_same(model, text);
    for (const auto* model : {&plain, &prefixed, &unsplit}) check_same(*model, text);
    check_words({}, text);
    check_words({Joined::split, Joined::split}, text);
    return 0;
}
