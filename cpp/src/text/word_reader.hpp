#pragma once
/// Code points and their classes, as the rules for words ask for them.
#include <string_view>

#include "unitvec/text/unicode.hpp"
#include "word_class.hpp"

namespace unitvec {

/// A code point, its class, and where the next one starts. The end of the text reads as white
/// space.
struct Peeked {
    char32_t code = 0;
    WordClass kind = WordClass::space;
    const char* next = nullptr;
};

[[nodiscard]] inline Peeked peek(const char* p, const char* end) {
    if (p >= end) return {0, WordClass::space, end};
    const auto [code, length] = unicode::decode_utf8(p, end);
    return {code, word_class(code), p + length};
}

[[nodiscard]] inline bool is_letter(WordClass c) {
    return c == WordClass::letter || c == WordClass::upper;
}
/// What words of scripts with spaces consist of.
[[nodiscard]] inline bool is_in_words(WordClass c) {
    return c <= WordClass::connector && c != WordClass::space;
}
/// Belongs to what stands before it, whatever that is.
[[nodiscard]] inline bool is_attached(WordClass c) {
    return c == WordClass::mark || c == WordClass::format;
}
[[nodiscard]] inline bool is_apostrophe(char32_t c) {
    return c == U'\'' || c == 0x2019 || c == 0xFF07;
}
[[nodiscard]] inline bool is_hyphen(char32_t c) {
    return c == U'-' || c == 0x2010 || c == 0x2011;
}
[[nodiscard]] inline bool is_ascii_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
[[nodiscard]] inline bool is_ascii_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace unitvec
