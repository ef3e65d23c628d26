#include <string>

#include "support/catch.hpp"
#include "unitvec/text/unicode.hpp"

namespace unicode = unitvec::unicode;

namespace {

std::u32string decomposed(char32_t code) {
    std::u32string out;
    unicode::append_decomposition(code, out);
    return out;
}

std::u32string lowered(char32_t code) {
    std::u32string out;
    unicode::append_lower_case(code, out);
    return out;
}

bool has(char32_t code, unicode::Property property) {
    return (unicode::properties(code) & property) != 0;
}

}  // namespace

TEST_CASE("every code point survives UTF-8 and back", "[unicode]") {
    std::size_t wrong = 0;
    for (char32_t code = 0; code < unicode::kCodePoints; ++code) {
        if (code >= 0xD800 && code < 0xE000) continue;  // surrogates are no characters
        std::string utf8;
        unicode::append_utf8(code, utf8);
        const auto back = unicode::decode_utf8(utf8.data(), utf8.data() + utf8.size());
        if (back.code != code || back.length != utf8.size()) ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("a maximal ill-formed sequence reads as one replacement character", "[unicode]") {
    // The example of the Unicode standard 15.0, table 3-8, and what else can go wrong.
    CHECK(unicode::decode("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64") ==
          U"a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
    CHECK(unicode::decode("\xC0\xAF") == U"\uFFFD\uFFFD");                      // over-long
    CHECK(unicode::decode("\xED\xA0\x80") == U"\uFFFD\uFFFD\uFFFD");            // a surrogate
    CHECK(unicode::decode("\xF4\x90\x80\x80") == U"\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond 0x10FFFF
    CHECK(unicode::decode("\xE2\x82") == U"\uFFFD");  // cut off at the end
    CHECK(unicode::count_code_points("\xE2\x82 \xE2\x82\xAC") == 3);
}

TEST_CASE("decompositions are canonical, full and include Hangul", "[unicode]") {
    CHECK(decomposed(U'a') == U"a");
    CHECK(decomposed(0x1EBF) == U"e\u0302\u0301");
    CHECK(decomposed(0xAC00) == U"\u1100\u1161");
    CHECK(decomposed(0xD7A3) == U"\u1112\u1175\u11C2");
    CHECK(decomposed(0x37E) == U";");
    CHECK(decomposed(0xFB01) == U"\uFB01");       // a compatibility mapping only
    CHECK(decomposed(0x11938) == U"\U00011938");  // younger than Unicode 9.0
}

TEST_CASE("lower case knows full mappings and Unicode 17", "[unicode]") {
    CHECK(lowered(U'A') == U"a");
    CHECK(lowered(0x130) == U"i\u0307");
    CHECK(lowered(0x3A3) == U"\u03C3");  // never the final sigma: no context
    CHECK(lowered(0x1E9E) == U"\u00DF");
    CHECK(lowered(0x16EA0) == U"\U00016EBB");
}

TEST_CASE("properties follow the versions that the header names", "[unicode]") {
    CHECK(has(0x301, unicode::mark_nonspacing));
    CHECK_FALSE(has(0x1ABF, unicode::mark_nonspacing));  // Unicode 13.0
    CHECK(has(0x166D, unicode::punctuation));            // a symbol since 12.0
    CHECK(has(0xE000, unicode::control));                // private use
    CHECK_FALSE(has(0x378, unicode::control));           // unassigned
    CHECK(has(0x85, unicode::whitespace));
    CHECK_FALSE(has(0x200B, unicode::whitespace));
    CHECK(unicode::is_word(U'_'));
    CHECK_FALSE(unicode::is_word(U'-'));
    CHECK(unicode::combining_class(0x323) == 220);
    CHECK(unicode::combining_class(U'a') == 0);
    CHECK(unicode::properties(unicode::kCodePoints) == 0);
}

TEST_CASE("what is UTF-8 and what is not", "[unicode]") {
    using unitvec::unicode::is_valid;
    CHECK(is_valid(""));
    CHECK(is_valid("a\u00E9\u65E5\U0001F50B"));
    CHECK(is_valid("a\uFFFDb"));  // the replacement character itself
    CHECK_FALSE(is_valid("\xFF"));
    CHECK_FALSE(is_valid("\xE6\x97"));      // cut off
    CHECK_FALSE(is_valid("\xED\xA0\x80"));  // a surrogate
    CHECK_FALSE(is_valid("\xC0\xAF"));      // too long a form
}
