#pragma once
/// UTF-8 and the Unicode properties that BERT's tokeniser asks for.
///
/// The tables follow the Unicode versions of the libraries behind Hugging Face's `tokenizers` 0.23:
/// Mn, C* and P* as of 8.0, M*, decompositions and combining classes as of 9.0, L*, N* and \w as of
/// 16.0, lower case and white space as of 17.0. src/text/unicode/README.md says how they are made.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace unitvec::unicode {

constexpr char32_t kCodePoints = 0x110000;  ///< one more than the last code point
constexpr char32_t kReplacement = 0xFFFD;   ///< stands for bytes that are not UTF-8

/// Bits of `properties`.
enum Property : std::uint8_t {
    mark_nonspacing = 1,  ///< category Mn
    control = 2,          ///< category Cc, Cf, Co or Cs (tab and line ends too)
    punctuation = 4,      ///< category P*
    whitespace = 8,       ///< White_Space
    mark = 16,            ///< category M*
    letter = 32,          ///< category L*
    number = 64,          ///< category N*
    word = 128,           ///< a letter, mark, decimal digit, connector: \w of regular expressions
};

/// A code point and the bytes that it took.
struct Decoded {
    char32_t code;
    std::uint32_t length;
};

/// The code point that starts at `p` < `end`. Bytes that are not UTF-8 read as U+FFFD, one for each
/// maximal ill-formed sequence (Unicode standard, section 3.9, "U+FFFD substitution").
[[nodiscard]] Decoded decode_utf8(const char* p, const char* end);

/// Appends a code point below 0x110000 as UTF-8.
void append_utf8(char32_t code, std::string& out);

[[nodiscard]] std::u32string decode(std::string_view utf8);
[[nodiscard]] std::string encode(std::u32string_view text);

/// Whether the bytes are UTF-8.
[[nodiscard]] bool is_valid(std::string_view utf8);

/// How many code points `decode` finds.
[[nodiscard]] std::size_t count_code_points(std::string_view utf8);

/// Bits of `Property`; 0 from 0x110000 on.
[[nodiscard]] std::uint8_t properties(char32_t code);

[[nodiscard]] inline bool is_whitespace(char32_t code) {
    return (properties(code) & Property::whitespace) != 0;
}
[[nodiscard]] inline bool is_word(char32_t code) {
    return (properties(code) & Property::word) != 0;
}

/// Canonical combining class; 0 for starters.
[[nodiscard]] std::uint8_t combining_class(char32_t code);

/// Appends the full canonical decomposition; the character itself where it has none.
void append_decomposition(char32_t code, std::u32string& out);

/// Appends the full lower-case mapping without conditions on language or context.
void append_lower_case(char32_t code, std::u32string& out);

}  // namespace unitvec::unicode
