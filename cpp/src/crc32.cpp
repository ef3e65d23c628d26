#include "unitvec/crc32.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace unitvec {
namespace {

constexpr std::uint32_t kPolynomial = 0xEDB88320;  // bits in reverse, as all of this is
constexpr std::size_t kWord = 8;                   // bytes that a step takes

using Tables = std::array<std::array<std::uint32_t, 256>, kWord>;

/// [n][b]: what a byte b leaves behind that n more bytes follow.
constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t b = 0; b < 256; ++b) {
        std::uint32_t rest = b;
        for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1U) * kPolynomial);
        tables[0][b] = rest;
    }
    for (std::size_t n = 1; n < kWord; ++n) {
        for (std::size_t b = 0; b < 256; ++b) {
            const std::uint32_t before = tables[n - 1][b];
            tables[n][b] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}

constexpr Tables kTables = make_tables();

/// Of a register that was inverted, as it is between bytes.
std::uint32_t by_table(std::span<const std::byte> bytes, std::uint32_t rest) {
    for (; bytes.size() >= kWord; bytes = bytes.subspan(kWord)) {
        std::uint32_t next = 0;
        for (std::size_t i = 0; i < kWord; ++i) {
            const std::uint32_t carried = i < 4 ? rest >> (8 * i) & 0xFF : 0;
            next ^= kTables[kWord - 1 - i][std::to_integer<std::uint32_t>(bytes[i]) ^ carried];
        }
        rest = next;
    }
    for (const std::byte byte : bytes) {
        rest = (rest >> 8) ^ kTables[0][(rest ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
    }
    return rest;
}

#if defined(__x86_64__)

constexpr std::size_t kBlock = 16;
constexpr std::size_t kFold = 4 * kBlock;

[[gnu::target("pclmul,sse4.1")]] inline __m128i block(const std::byte* bytes) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

/// What `x` stands for, so many bits further on, and the block that lies there.
[[gnu::target("pclmul,sse4.1")]] inline __m128i folded(__m128i x, __m128i factors, __m128i there) {
    const __m128i low = _mm_clmulepi64_si128(x, factors, 0x00);
    const __m128i high = _mm_clmulepi64_si128(x, factors, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), there);
}

/// Folding by carry-less products (V. Gopal et al. 2009, "Fast CRC Computation for Generic
/// Polynomials Using PCLMULQDQ Instruction", Intel). The factors are powers of x modulo the
/// polynomial, bits in reverse.
/// @param bytes  at least kFold of them, a multiple of kBlock
[[gnu::target("pclmul,sse4.1")]] std::uint32_t by_products(std::span<const std::byte> bytes,
                                                           std::uint32_t rest) {
    const __m128i over_fold = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);   // x^480, x^544
    const __m128i over_block = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);  // x^96, x^160
    const __m128i over_word = _mm_set_epi64x(0, 0x163cd6124);             // x^64
    const __m128i barrett = _mm_set_epi64x(0x1f7011641, 0x1db710641);     // quotient, polynomial
    const __m128i words = _mm_setr_epi32(-1, 0, -1, 0);

    const std::byte* at = bytes.data();
    const std::byte* const end = at + bytes.size();
    __m128i x[4];
    for (std::size_t i = 0; i < 4; ++i) x[i] = block(at + i * kBlock);
    x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128(static_cast<int>(rest)));
    for (at += kFold; end - at >= static_cast<std::ptrdiff_t>(kFold); at += kFold) {
        for (std::size_t i = 0; i < 4; ++i) x[i] = folded(x[i], over_fold, block(at + i * kBlock));
    }
    __m128i one = x[0];
    for (std::size_t i = 1; i < 4; ++i) one = folded(one, over_block, x[i]);
    for (; at != end; at += kBlock) one = folded(one, over_block, block(at));

    // 128 bits to 64, and these to 32 by Barrett's reduction.
    one = _mm_xor_si128(_mm_srli_si128(one, 8), _mm_clmulepi64_si128(one, over_block, 0x10));
    one = _mm_xor_si128(_mm_srli_si128(one, 4),
                        _mm_clmulepi64_si128(_mm_and_si128(one, words), over_word, 0x00));
    __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(one, words), barrett, 0x10);
    quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, words), barrett, 0x00);
    return static_cast<std::uint32_t>(_mm_extract_epi32(_mm_xor_si128(one, quotient), 1));
}

bool has_products() {
    static const bool has =
        __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
    return has;
}

#endif

}  // namespace

std::uint32_t crc32_portable(std::span<const std::byte> bytes, std::uint32_t start) {
    return ~by_table(bytes, ~start);
}

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t start) {
    std::uint32_t rest = ~start;
#if defined(__x86_64__)
    if (bytes.size() >= kFold && has_products()) {
        const std::size_t whole = bytes.size() / kBlock * kBlock;
        rest = by_products(bytes.first(whole), rest);
        bytes = bytes.subspan(whole);
    }
#endif
    return ~by_table(bytes, rest);
}

}  // namespace unitvec
