#include "byte_level.hpp"

#include <array>

#include "unitvec/text/unicode.hpp"

namespace unitvec {
namespace {

constexpr bool is_printable_latin1(unsigned byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/// The character of every byte, and the byte of every character below U+0144 (-1: none).
struct Alphabet {
    std::array<char32_t, 256> characters{};
    std::array<int, 0x144> bytes{};

    constexpr Alphabet() {
        bytes.fill(-1);
        char32_t next = 0x100;
        for (unsigned byte = 0; byte < 256; ++byte) {
            characters[byte] = is_printable_latin1(byte) ? char32_t{byte} : next++;
            bytes[characters[byte]] = static_cast<int>(byte);
        }
    }
};

constexpr Alphabet kAlphabet;

void append_bytes(std::string_view token, std::string& bytes) {
    const auto before = bytes.size();
    for (const char32_t c : unicode::decode(token)) {
        const int byte = c < kAlphabet.bytes.size() ? kAlphabet.bytes[c] : -1;
        if (byte < 0) {
            bytes.resize(before);
            bytes += token;
            return;
        }
        bytes += static_cast<char>(byte);
    }
}

}  // namespace

char32_t character_of_byte(unsigned char byte) {
    return kAlphabet.characters[byte];
}

std::string bytes_of_tokens(std::span<const std::string_view> tokens) {
    std::string bytes;
    for (const auto token : tokens) append_bytes(token, bytes);
    return unicode::encode(unicode::decode(bytes));
}

}  // namespace unitvec
