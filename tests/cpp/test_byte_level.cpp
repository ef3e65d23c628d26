#include "text/byte_level.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "unitvec/text/unicode.hpp"

using namespace unitvec;

namespace {

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto length = byte_level::first_word(text);
        REQUIRE(length > 0);
        out.emplace_back(text.substr(0, length));
        text.remove_prefix(length);
    }
    return out;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("every byte has a printable character of its own", "[byte_level]") {
    CHECK(byte_level::character_of(' ') == U'\u0120');
    CHECK(byte_level::character_of('\n') == U'\u010A');
    CHECK(byte_level::character_of('a') == U'a');
    CHECK(byte_level::character_of(0xAD) == U'\u0143');
    CHECK(byte_level::character_of(0xFF) == U'\u00FF');
    for (int byte = 0; byte < 256; ++byte) {
        const std::string bytes(1, static_cast<char>(byte));
        CHECK(byte_level::bytes_of(byte_level::spelled(bytes)) == bytes);
    }
    CHECK(byte_level::spelled("h\xC3\xA9 ") == "h\u00C3\u00A9\u0120");
    CHECK(byte_level::bytes_of("a b") == std::nullopt);  // a space stands for no byte
    CHECK(byte_level::bytes_of("\u65E5") == std::nullopt);
    CHECK(byte_level::bytes_of("") == "");
}

TEST_CASE("words take one space, contractions stand alone", "[byte_level]") {
    CHECK(words("It's we've, x'y") == Words{"It", "'s", " we", "'ve", ",", " x", "'", "y"});
    CHECK(words("'S 'll 'Re") == Words{"'", "S", " '", "ll", " '", "Re"});
    CHECK(words("a1 2b ?!a") == Words{"a", "1", " 2", "b", " ?!", "a"});
    CHECK(words("a  b") == Words{"a", " ", " b"});
    CHECK(words("a \n b\n") == Words{"a", " \n", " b", "\n"});
    CHECK(words("a\tb") == Words{"a", "\t", "b"});
    CHECK(words("   ") == Words{"   "});
    CHECK(words("\u00A0\u00A0\u00E9") == Words{"\u00A0", "\u00A0", "\u00E9"});
    CHECK(words("e\u0301 \u0661") == Words{"e", "\u0301", " \u0661"});
}
