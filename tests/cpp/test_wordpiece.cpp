#include <string>

#include "support/catch.hpp"
#include "text/word_table.hpp"
#include "unitvec/text/wordpiece.hpp"

using unitvec::Vocabulary;
using unitvec::WordPiece;

namespace {

WordPiece make(std::vector<std::string> tokens, std::size_t max_chars = 100,
               const std::string& prefix = "##") {
    std::vector<Vocabulary::Entry> entries;
    for (auto& token : tokens) {
        entries.push_back({std::move(token), static_cast<std::int64_t>(entries.size())});
    }
    return {Vocabulary(std::move(entries), "test", ""), 0, prefix, max_chars};
}

std::string cut(const WordPiece& wordpiece, const std::string& word) {
    std::vector<WordPiece::Span> spans;
    std::vector<std::int32_t> ids;
    wordpiece.append(word, spans);
    wordpiece.append(word, ids);
    std::string out;
    REQUIRE(spans.size() == ids.size());
    for (std::size_t i = 0; i < spans.size(); ++i) {
        CHECK(spans[i].id == ids[i]);
        out += wordpiece.vocabulary().token(ids[i]) + "@" + std::to_string(spans[i].begin) + "-" +
               std::to_string(spans[i].end) + " ";
    }
    return out;
}

}  // namespace

TEST_CASE("the longest piece is taken, from left to right", "[wordpiece]") {
    const auto wordpiece =
        make({"[UNK]", "un", "##aff", "##able", "##a", "##ff", "unaff", "##ab", "##le"});
    CHECK(cut(wordpiece, "unaffable") == "unaff@0-5 ##able@5-9 ");
    CHECK(cut(wordpiece, "un") == "un@0-2 ");
    CHECK(cut(wordpiece, "unffle") == "un@0-2 ##ff@2-4 ##le@4-6 ");
}

TEST_CASE("a word that cannot be cut whole is unknown as a whole", "[wordpiece]") {
    const auto wordpiece = make({"[UNK]", "un", "##aff", "a"});
    CHECK(cut(wordpiece, "unaffx") == "[UNK]@0-6 ");
    CHECK(cut(wordpiece, "affa") == "[UNK]@0-4 ");  // greedy: "a" first, then nothing fits
    CHECK(cut(wordpiece, "aff") == "[UNK]@0-3 ");   // "##aff" does not begin a word
}

TEST_CASE("words are too long by characters, not by bytes", "[wordpiece]") {
    const auto wordpiece = make({"[UNK]", "\u00E9", "##\u00E9", "abc", "abcd"}, /*max_chars=*/3);
    CHECK(cut(wordpiece, "\u00E9\u00E9\u00E9") == "\u00E9@0-2 ##\u00E9@2-4 ##\u00E9@4-6 ");
    CHECK(cut(wordpiece, "\u00E9\u00E9\u00E9\u00E9") == "[UNK]@0-8 ");
    CHECK(cut(wordpiece, "abc") == "abc@0-3 ");
    CHECK(cut(wordpiece, "abcd") == "[UNK]@0-4 ");
    CHECK(wordpiece.find_whole(unitvec::WordKey::of("abcd")) == -1);
}

TEST_CASE("a vocabulary without continuations has whole words only", "[wordpiece]") {
    const auto wordpiece = make({"[UNK]", "a", "ab"});
    CHECK(cut(wordpiece, "ab") == "ab@0-2 ");
    CHECK(cut(wordpiece, "aba") == "[UNK]@0-3 ");
}

TEST_CASE("an empty prefix lets every token continue a word", "[wordpiece]") {
    const auto wordpiece = make({"[UNK]", "a", "b"}, 100, "");
    CHECK(cut(wordpiece, "aba") == "a@0-1 b@1-2 a@2-3 ");
}
