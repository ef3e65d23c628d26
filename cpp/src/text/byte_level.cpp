#include "byte_level.hpp"

#include <array>

#include "unitvec/text/unicode.hpp"

namespace unitvec::byte_level {
namespace {

constexpr char32_t kFirstStandIn = 0x100;

constexpr bool stands_for_itself(unsigned byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
}

struct Alphabet {
    std::array<char32_t, 256> character{};
    std::array<int, 0x200> byte{};  ///< -1: the character stands for no byte
};

constexpr Alphabet make_alphabet() {
    Alphabet a;
    a.byte.fill(-1);
    char32_t next = kFirstStandIn;
    for (unsigned byte = 0; byte < 256; ++byte) {
        a.character[byte] = stands_for_itself(byte) ? byte : next++;
        a.byte[a.character[byte]] = static_cast<int>(byte);
    }
    return a;
}

constexpr Alphabet kAlphabet = make_alphabet();

enum class Class { letter, number, space, other };

Class class_of(char32_t code) {
    const auto p = unicode::properties(code);
    if (p & unicode::Property::letter) return Class::letter;
    if (p & unicode::Property::number) return Class::number;
    if (p & unicode::Property::whitespace) return Class::space;
    return Class::other;
}

/// A character of the text: what it is and the bytes that it takes.
struct Next {
    Class kind;
    std::size_t length;
};

constexpr auto kAscii = [] {
    std::array<Class, 128> classes{};
    classes.fill(Class::other);
    for (char c = 'a'; c <= 'z'; ++c) classes[static_cast<unsigned char>(c)] = Class::letter;
    for (char c = 'A'; c <= 'Z'; ++c) classes[static_cast<unsigned char>(c)] = Class::letter;
    for (char c = '0'; c <= '9'; ++c) classes[static_cast<unsigned char>(c)] = Class::number;
    for (const char c : {'\t', '\n', '\v', '\f', '\r', ' '}) {
        classes[static_cast<unsigned char>(c)] = Class::space;
    }
    return classes;
}();

Next at(std::string_view text, std::size_t i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) return {kAscii[byte], 1};
    const auto c = unicode::decode_utf8(text.data() + i, text.data() + text.size());
    return {class_of(c.code), c.length};
}

/// The end of the run of `kind` that goes on at `i`.
std::size_t run_end(std::string_view text, std::size_t i, Class kind) {
    while (i < text.size()) {
        const auto next = at(text, i);
        if (next.kind != kind) break;
        i += next.length;
    }
    return i;
}

std::size_t contraction(std::string_view text) {
    for (const std::string_view word : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
        if (text.starts_with(word)) return word.size();
    }
    return 0;
}

/// White space at the start: all of it at the end of the text, else all but the last character,
/// which belongs to what follows; one alone is a word.
std::size_t space_run(std::string_view text) {
    std::size_t last = 0;
    std::size_t end = 0;
    while (end < text.size()) {
        const auto next = at(text, end);
        if (next.kind != Class::space) break;
        last = end;
        end += next.length;
    }
    return end == text.size() || last == 0 ? end : last;
}

}  // namespace

char32_t character_of(unsigned char byte) {
    return kAlphabet.character[byte];
}

std::string spelled(std::string_view bytes) {
    std::string token;
    for (const char byte : bytes) {
        unicode::append_utf8(character_of(static_cast<unsigned char>(byte)), token);
    }
    return token;
}

std::optional<std::string> bytes_of(std::string_view token) {
    std::string bytes;
    for (const char32_t code : unicode::decode(token)) {
        if (code >= kAlphabet.byte.size() || kAlphabet.byte[code] < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(kAlphabet.byte[code]));
    }
    return bytes;
}

std::size_t first_word(std::string_view text) {
    if (text.front() == '\'') {
        if (const auto length = contraction(text)) return length;
    }
    auto next = at(text, 0);
    std::size_t i = next.length;
    if (text.front() == ' ' && text.size() > 1) {
        const auto after = at(text, 1);
        if (after.kind != Class::space) {
            next = after;
            i += after.length;
        }
    }
    return next.kind == Class::space ? space_run(text) : run_end(text, i, next.kind);
}

}  // namespace unitvec::byte_level
