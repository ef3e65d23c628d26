#include <random>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "text/word_class.hpp"
#include "unitvec/text/unicode.hpp"
#include "unitvec/text/words.hpp"

using namespace unitvec;

namespace {

std::vector<Word> words_of(std::string_view text, const WordRules& rules = {}) {
    std::vector<Word> words;
    split_words(text, rules, words);
    return words;
}

/// The tokens, parted by "|".
std::string cut(std::string_view text, const WordRules& rules = {}) {
    std::string joined;
    for (const auto& word : words_of(text, rules)) {
        if (!joined.empty()) joined += '|';
        joined += text.substr(word.begin, word.end - word.begin);
    }
    return joined;
}

/// The kind of a text's only token.
WordKind kind_of(std::string_view text) {
    const auto words = words_of(text);
    INFO(text);
    REQUIRE(words.size() == 1);
    CHECK(words[0].begin == 0);
    CHECK(words[0].end == text.size());
    return words[0].kind;
}

/// Whether a character may stand outside every token.
bool may_be_left_out(char32_t code) {
    const auto kind = word_class(code);
    return kind == WordClass::space || kind == WordClass::format;
}

}  // namespace

TEST_CASE("words and marks are cut apart", "[words]") {
    CHECK(cut("The restaurant had delicious food!") == "The|restaurant|had|delicious|food|!");
    CHECK(cut("Highly recommended!!!") == "Highly|recommended|!|!|!");
    CHECK(cut("and/or (both), \"so\"...") == "and|/|or|(|both|)|,|\"|so|\"|...");
    CHECK(cut("a--b -- c. . d") == "a|--|b|--|c|.|.|d");
    CHECK(cut("\u201Cquote\u201D\u2014dash\u2026") == "\u201C|quote|\u201D|\u2014|dash|\u2026");
    CHECK(cut("").empty());
    CHECK(cut(" \t\n\u00A0\u3000").empty());
}

TEST_CASE("marks within a word belong to it", "[words]") {
    for (const char* word : {"don't",
                             "John's",
                             "O\u2019Neill",
                             "rock'n'roll",
                             "o'clock",
                             "state-of-the-art",
                             "15-year",
                             "AT&T",
                             "R&D",
                             "node.js",
                             "ASP.NET",
                             "v2.0",
                             "snake_case",
                             "__init__",
                             "3D",
                             "B2B",
                             "1st",
                             "U.S.A.",
                             "e.g.",
                             "Ph.D.",
                             "M.Sc.",
                             "a.m.",
                             "Mr.",
                             "etc.",
                             "C++",
                             "C++20",
                             "notepad++",
                             "C#",
                             "A+",
                             ".NET",
                             "e\u0301t\u00E9",
                             "co\u00ADoperate",
                             "x\u00B2",
                             "H\u2082O",
                             "l\u00B7l"}) {
        CHECK(kind_of(word) == WordKind::word);
    }
    CHECK(cut("dogs' 'tis salt&pepper") == "dogs|'|'|tis|salt|&|pepper");
    CHECK(cut("the end.The next, USA.The") == "the|end|.|The|next|,|USA|.|The");
    CHECK(cut("in the U.S. today. C++, C+ x") == "in|the|U.S.|today|.|C++|,|C+|x");
    CHECK(cut("a Ph.D.! go.Go. So.It is. in.A.") == "a|Ph.D.|!|go|.|Go|.|So|.|It|is|.|in|.|A|.");
    CHECK(cut("Mr. Smith, wow.") == "Mr.|Smith|,|wow|.");
}

TEST_CASE("numbers keep their marks and signs", "[words]") {
    for (const char* number :
         {"5", "5+", "-5", "+5", ".5", "-.5", "1,000,000.50", "10:30", "2024-01-05", "12/05/2024",
          "555-1234", "1e-5", "6.02E+23", "1e5", "\u00BD", "\u0663\u0664", "192.168.0.1"}) {
        CHECK(kind_of(number) == WordKind::number);
    }
    CHECK(cut("$5.00 is 50%, 3 - 5 = -2.") == "$|5.00|is|50|%|,|3|-|5|=|-2|.");
    CHECK(kind_of("12e") == WordKind::word);
    CHECK(kind_of("0x1F") == WordKind::word);
    CHECK(cut("a1e-5 1.2.e-5") == "a1e-5|1.2.e-5");
}

TEST_CASE("addresses, names and pictures are one token each", "[words]") {
    for (const char* url : {"http://example.com/a_(b)?x=1", "https://m\u00FCnchen.de",
                            "WWW.a.org/b", "example.com/path", "ftp://x.y:21/z#a"}) {
        CHECK(kind_of(url) == WordKind::url);
    }
    CHECK(cut("(see http://a.b/c).") == "(|see|http://a.b/c|)|.");
    CHECK(cut("http:// www. x://") == "http|:|/|/|www|.|x|:|/|/");
    CHECK(kind_of("ann.lee+x@mail.example.com") == WordKind::email);
    CHECK(cut("foo@bar a@bb.c. x@y.co!") == "foo|@|bar|a|@|bb.c|.|x@y.co|!");
    CHECK(kind_of("#python") == WordKind::hashtag);
    CHECK(kind_of("#2024goals") == WordKind::hashtag);
    CHECK(cut("#1 a#b") == "#|1|a|#|b");
    CHECK(kind_of("@ann_lee") == WordKind::mention);
    for (const char* emoji : {"\U0001F600", "\u2764\uFE0F", "\U0001F44D\U0001F3FD", "1\uFE0F\u20E3",
                              "\U0001F468\u200D\U0001F469\u200D\U0001F467", "\U0001F1E9\U0001F1EA",
                              "\u2122\uFE0F", "\u2139\uFE0F"}) {
        CHECK(kind_of(emoji) == WordKind::emoji);
    }
    CHECK(words_of("\U0001F600\U0001F600\U0001F1E9\U0001F1EA\U0001F1EB\U0001F1F7").size() == 4);
    CHECK(kind_of(":-)") == WordKind::emoticon);
    CHECK(cut("so :) not:) <3") == "so|:)|not|:|)|<3");
    CHECK(kind_of("\u00A9") == WordKind::symbol);
}

TEST_CASE("scripts without spaces are cut as documented", "[words]") {
    CHECK(cut("\u4ED6\u8BF4\u3002") == "\u4ED6|\u8BF4|\u3002");  // Chinese
    CHECK(cut("\u65E5\u672C\u306E\u3067\u3059") ==
          "\u65E5|\u672C|\u306E\u3067\u3059");                              // and Hiragana
    CHECK(cut("\u30AB\u30FC\u30C9\u3067") == "\u30AB\u30FC\u30C9|\u3067");  // Katakana
    CHECK(cut("\u0E2A\u0E27\u0E31\u0E2A \u0E14\u0E35") == "\u0E2A\u0E27\u0E31\u0E2A|\u0E14\u0E35");
    CHECK(cut("iPhone\u624B\u673Ahttp://a.b") == "iPhone|\u624B|\u673A|http://a.b");
    CHECK(cut("\uD55C\uAD6D\uC5B4 \uBB38\uC7A5.") == "\uD55C\uAD6D\uC5B4|\uBB38\uC7A5|.");
}

TEST_CASE("contractions and hyphens are split on request", "[words]") {
    const WordRules treebank{Joined::split, Joined::split};
    CHECK(cut("can't Ann's they'll WON\u2019T", treebank) == "ca|n't|Ann|'s|they|'ll|WO|N\u2019T");
    CHECK(cut("o'clock n't cannot 's", treebank) == "o'clock|n't|cannot|'|s");
    CHECK(cut("well-known 15-year 555-1234", treebank) == "well|-|known|15|-|year|555-1234");
}

TEST_CASE("every character stands in one token, whatever the text", "[words]") {
    std::mt19937 random(20261124);
    const std::u32string alphabet =
        U"aZ\u00E9\u4E2D\u3042\u30A2\u0E01 019.,:/-'\u2019&+#@_()!$%\n\u200B\u00AD\u0301\u200D"
        U"\U0001F600\U0001F3FD\U0001F1E9\uFE0F\u20E3\u2122\u2139\u24C2<3:)wheEnTt";
    for (int round = 0; round < 20000; ++round) {
        std::u32string codes(random() % 24, U' ');
        for (auto& code : codes) code = alphabet[random() % alphabet.size()];
        const auto text = unicode::encode(codes);
        for (const auto joined : {Joined::kept, Joined::split}) {
            std::size_t behind = 0;
            auto words = words_of(text, {joined, joined});
            words.push_back({text.size(), text.size(), WordKind::word});
            for (const auto& word : words) {
                INFO(text);
                REQUIRE(word.begin >= behind);
                const auto gap =
                    unicode::decode(std::string_view(text).substr(behind, word.begin - behind));
                REQUIRE(std::ranges::all_of(gap, may_be_left_out));
                REQUIRE((word.end > word.begin || word.begin == text.size()));
                behind = word.end;
            }
        }
    }
}

TEST_CASE("no character stops the way through a text", "[words]") {
    std::vector<Word> words;
    std::size_t wrong = 0;
    for (char32_t code = 1; code < unicode::kCodePoints; ++code) {
        if (code >= 0xD800 && code < 0xE000) continue;
        for (const char32_t behind : {U'\uFE0F', U'\u200D', U'\u20E3', U'\u0301', U'a', U'.'}) {
            words.clear();
            split_words(unicode::encode(std::u32string{code, behind, code}), {}, words);
            if (words.size() > 3) ++wrong;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("bytes that are not UTF-8 are no reason to stop", "[words]") {
    CHECK(words_of("a\xFF\xFE b").size() == 4);
    CHECK(words_of(std::string(1000, '\xE2')).size() == 1000);
}

TEST_CASE("long runs take time in proportion", "[words]") {
    // Each of these would take hours if a step looked ahead over the rest of the text every time.
    for (const char* piece : {"<", "a@", "http://", "a.", "A.", "(", "www.", "#", "1,", "a-", "'",
                              ")http://a(", "\u200D", "e\u0301", "x@y."}) {
        std::string text;
        while (text.size() < 2'000'000) text += piece;
        CHECK(!words_of(text).empty());
    }
}

TEST_CASE("a token cut out by others has a kind", "[words]") {
    CHECK(kind_of_word("word") == WordKind::word);
    CHECK(kind_of_word("!?") == WordKind::punctuation);
    CHECK(kind_of_word("$!") == WordKind::symbol);
    CHECK(kind_of_word("two words!") == WordKind::word);
    CHECK(kind_of_word("http://a.b") == WordKind::url);
    CHECK(kind_of_word("") == WordKind::word);
}
