#include "unitvec/text/unicode.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "byte_table.hpp"
#include "unicode_tables.hpp"

namespace unitvec::unicode {
namespace {

constexpr char32_t kHangulFirst = 0xAC00;  // Unicode standard, section 3.12
constexpr char32_t kHangulCount = 11172;
constexpr char32_t kVowels = 21;
constexpr char32_t kTrails = 28;

/// The bytes that may follow a lead byte, and how many there are in all; length 1: not a lead byte.
struct Lead {
    std::uint32_t length;
    unsigned char second_min;
    unsigned char second_max;
};

Lead lead_of(unsigned char byte) {
    if (byte < 0xC2 || byte > 0xF4) return {1, 0, 0};
    if (byte < 0xE0) return {2, 0x80, 0xBF};
    if (byte == 0xE0) return {3, 0xA0, 0xBF};
    if (byte == 0xED) return {3, 0x80, 0x9F};  // no surrogates
    if (byte < 0xF0) return {3, 0x80, 0xBF};
    if (byte == 0xF0) return {4, 0x90, 0xBF};
    return {4, 0x80, static_cast<unsigned char>(byte == 0xF4 ? 0x8F : 0xBF)};
}

template <typename Entry>
const Entry* find(std::span<const Entry> sorted, char32_t code) {
    const auto it = std::ranges::lower_bound(sorted, code, {}, &Entry::code);
    return it != sorted.end() && it->code == code ? &*it : nullptr;
}

template <std::size_t N>
void append_until_zero(const std::array<char32_t, N>& codes, std::u32string& out) {
    for (const auto c : codes) {
        if (c != 0) out.push_back(c);
    }
}

}  // namespace

Decoded decode_utf8(const char* p, const char* end) {
    const auto first = static_cast<unsigned char>(*p);
    if (first < 0x80) return {first, 1};
    const Lead lead = lead_of(first);
    if (lead.length == 1) return {kReplacement, 1};
    char32_t code = first & (0xFFU >> (lead.length + 1));
    for (std::uint32_t i = 1; i < lead.length; ++i) {
        const auto byte =
            p + i < end ? static_cast<unsigned char>(p[i]) : static_cast<unsigned char>(0);
        const unsigned char min = i == 1 ? lead.second_min : 0x80;
        const unsigned char max = i == 1 ? lead.second_max : 0xBF;
        if (byte < min || byte > max) return {kReplacement, i};
        code = (code << 6) | (byte & 0x3F);
    }
    return {code, lead.length};
}

void append_utf8(char32_t code, std::string& out) {
    const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
        put(0xC0 | (code >> 6));
    } else {
        if (code < 0x10000) {
            put(0xE0 | (code >> 12));
        } else {
            put(0xF0 | (code >> 18));
            put(0x80 | ((code >> 12) & 0x3F));
        }
        put(0x80 | ((code >> 6) & 0x3F));
    }
    put(0x80 | (code & 0x3F));
}

std::u32string decode(std::string_view utf8) {
    std::u32string text;
    const char* const end = utf8.data() + utf8.size();
    for (const char* p = utf8.data(); p < end;) {
        const auto [code, length] = decode_utf8(p, end);
        text.push_back(code);
        p += length;
    }
    return text;
}

std::string encode(std::u32string_view text) {
    std::string utf8;
    for (const auto code : text) append_utf8(code, utf8);
    return utf8;
}

bool is_valid(std::string_view utf8) {
    const char* const end = utf8.data() + utf8.size();
    for (const char* p = utf8.data(); p < end;) {
        const auto [code, length] = decode_utf8(p, end);
        const auto left = static_cast<std::size_t>(end - p);
        if (code == kReplacement && !std::string_view(p, left).starts_with("\xEF\xBF\xBD")) {
            return false;
        }
        p += length;
    }
    return true;
}

std::size_t count_code_points(std::string_view utf8) {
    std::size_t count = 0;
    const char* const end = utf8.data() + utf8.size();
    for (const char* p = utf8.data(); p < end; ++count) p += decode_utf8(p, end).length;
    return count;
}

std::uint8_t properties(char32_t code) {
    static const ByteTable table(unicode_tables::properties(),
                                 &unicode_tables::PropertyRange::flags);
    return table[code];
}

std::uint8_t combining_class(char32_t code) {
    static const ByteTable table(unicode_tables::combining_classes(),
                                 &unicode_tables::ClassRange::value);
    return table[code];
}

void append_decomposition(char32_t code, std::u32string& out) {
    if (code - kHangulFirst < kHangulCount) {
        const char32_t syllable = code - kHangulFirst;
        out.push_back(0x1100 + syllable / (kVowels * kTrails));
        out.push_back(0x1161 + syllable / kTrails % kVowels);
        if (syllable % kTrails != 0) out.push_back(0x11A7 + syllable % kTrails);
    } else if (const auto* entry = find(unicode_tables::decompositions(), code)) {
        append_until_zero(entry->to, out);
    } else {
        out.push_back(code);
    }
}

void append_lower_case(char32_t code, std::u32string& out) {
    if (const auto* entry = find(unicode_tables::lower_cases(), code)) {
        append_until_zero(entry->to, out);
    } else {
        out.push_back(code);
    }
}

}  // namespace unitvec::unicode
