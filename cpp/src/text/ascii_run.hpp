#pragma once
/// Letters and digits at the start of a text, sixteen bytes at a time and without vector
/// instructions: eight bytes in one machine word, so every processor takes the same path.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "word_table.hpp"

namespace unitvec {
namespace ascii_run_detail {

constexpr std::uint64_t every(std::uint64_t byte) {
    return byte * 0x0101010101010101U;
}

/// Eight bytes: bit 7 of each says whether it is an ASCII letter or digit; and in lower case.
struct Eight {
    std::uint64_t bytes;
    std::uint64_t alphanumeric;

    /// @param lower_bit  0x20 in every byte to fold capital letters, 0 to keep them
    static Eight of(std::uint64_t bytes, std::uint64_t lower_bit) {
        // Adding 0x80 - x to a byte below 0x80 sets its bit 7 if it is x or more.
        const auto low = bytes & every(0x7F);
        const auto folded = low | every(0x20);
        const auto letter = (folded + every(0x80 - 'a')) & ~(folded + every(0x80 - ('z' + 1)));
        const auto digit = (low + every(0x80 - '0')) & ~(low + every(0x80 - ('9' + 1)));
        const auto ascii = ~bytes & every(0x80);
        return {bytes | ((letter & ascii) >> 2 & lower_bit), (letter | digit) & ascii};
    }

    /// How many bytes at the start are letters or digits.
    [[nodiscard]] std::uint32_t length() const {
        const auto others = ~alphanumeric & every(0x80);
        return static_cast<std::uint32_t>(std::countr_zero(others)) / 8;  // 8 if there are none
    }
};

/// Eight bytes with the first one lowest, whatever the processor's byte order.
inline std::uint64_t in_text_order(std::uint64_t bytes) {
    if constexpr (std::endian::native == std::endian::big) return __builtin_bswap64(bytes);
    return bytes;
}

constexpr std::uint64_t first_bytes(std::uint64_t bytes, std::uint32_t n) {
    return n >= 8 ? bytes : bytes & ((std::uint64_t{1} << (8 * n)) - 1);
}

}  // namespace ascii_run_detail

/// The letters and digits that [p, end) begins with, at most 16 (which means: perhaps more), as a
/// key for a WordTable. @param lower_bit as above
inline WordKey ascii_run(const char* p, const char* end, std::uint64_t lower_bit) {
    using namespace ascii_run_detail;
    std::uint64_t halves[2] = {0, 0};
    const auto left = static_cast<std::size_t>(end - p);
    if (left >= sizeof(halves)) {
        std::memcpy(halves, p, sizeof(halves));  // of constant size: one load
    } else {
        std::memcpy(halves, p, left);
    }
    const auto low = Eight::of(in_text_order(halves[0]), lower_bit);
    const auto n = low.length();
    if (n < 8) return {in_text_order(first_bytes(low.bytes, n)), 0, n};
    const auto high = Eight::of(in_text_order(halves[1]), lower_bit);
    const auto m = high.length();
    return {in_text_order(low.bytes), in_text_order(first_bytes(high.bytes, m)), 8 + m};
}

}  // namespace unitvec
