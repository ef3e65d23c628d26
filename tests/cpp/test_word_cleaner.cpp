#include <string>
#include <vector>

#include "support/catch.hpp"
#include "unitvec/text/word_cleaner.hpp"

using namespace unitvec;

namespace {

std::string clean(const CleanRules& rules, std::string_view text) {
    const WordCleaner cleaner(rules);
    const std::string_view texts[] = {text};
    auto cleaned = cleaner.clean(texts);
    cleaner.remove_short(cleaned);
    return cleaned.join(0, " ");
}

}  // namespace

TEST_CASE("each rule does what it says", "[word_cleaner]") {
    CleanRules rules;
    CHECK(clean(rules, "As it is, 5+!") == "As it is , 5+ !");

    rules.remove_punctuation = true;
    CHECK(clean(rules, "don't U.S. C++ 5+ -5 #py @ann \U0001F600 :) x_y __ $5 50%") ==
          "don't U.S. C++ 5 5 py ann x_y 5 50");
    rules.marks_inside_words = true;
    CHECK(clean(rules, "don't U.S. C++ 3.14 node.js x_y e-mail http://a.b") ==
          "dont US C 3.14 nodejs x y e mail http://a.b");
    rules.marks_inside_words = false;
    rules.keep = U"!";
    rules.keep_emoji = true;
    CHECK(clean(rules, "so! what? \U0001F600 <3") == "so ! what \U0001F600 <3");

    rules = {};
    rules.remove_digits = true;
    CHECK(clean(rules, "5+ Python3 15-year 1st 1990s B2B #2024goals http://a.b/1") ==
          "Python year BB #goals http://a.b/1");
    rules = {};
    rules.remove_numbers = true;
    CHECK(clean(rules, "5+ Python3 10:30 1st") == "Python3 1st");
    rules = {};
    rules.strip_urls = true;
    CHECK(clean(rules, "a http://a.b x@y.co") == "a x@y.co");
    rules.strip_emails = true;
    CHECK(clean(rules, "a http://a.b x@y.co") == "a");
    rules = {};
    rules.stop_words = {"the", "don't"};
    CHECK(clean(rules, "The cat don\u2019t THE") == "cat");
    rules = {};
    rules.min_length = 2;
    CHECK(clean(rules, "a \u00E9 \u00E9t is") == "\u00E9t is");
}

TEST_CASE("lower case knows the final sigma", "[word_cleaner]") {
    CHECK(lower_case("\u039F\u0394\u039F\u03A3") == "\u03BF\u03B4\u03BF\u03C2");
    CHECK(lower_case("\u03A3\u0391\u03A3 \u03A3") == "\u03C3\u03B1\u03C2 \u03C3");
    CHECK(lower_case("\u0130 ABC") == "i\u0307 abc");
}

TEST_CASE("texts keep their order and their ends", "[word_cleaner]") {
    CleanRules rules;
    rules.stop_words = {"the"};
    const WordCleaner cleaner(rules);
    const std::string_view texts[] = {"the cat", "", "the", "cat cat dog"};
    const auto cleaned = cleaner.clean(texts);
    CHECK(cleaned.words == std::vector<std::string>{"cat", "dog"});
    CHECK(cleaned.ends == std::vector<std::size_t>{1, 1, 1, 4});
    CHECK(cleaned.join(3, "-") == "cat-cat-dog");
    CHECK(cleaned.join(1, "-").empty());
}
