#include "unitvec/crc32.hpp"

#include <cstring>
#include <random>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using unitvec::crc32;
using unitvec::crc32_portable;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// Bit after bit, as ISO 3309 divides.
std::uint32_t divided(std::span<const std::byte> bytes) {
    std::uint32_t rest = ~0U;
    for (const std::byte byte : bytes) {
        rest ^= std::to_integer<std::uint32_t>(byte);
        for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1U) * 0xEDB88320U);
    }
    return ~rest;
}

}  // namespace

TEST_CASE("CRC-32 has the check values of its catalogue", "[crc32]") {
    for (const auto crc : {crc32, crc32_portable}) {
        CHECK(crc({}, 0) == 0);
        CHECK(crc(bytes_of("123456789"), 0) == 0xCBF43926);
        CHECK(crc(bytes_of("a"), 0) == 0xE8B7BE43);
    }
}

TEST_CASE("CRC-32 of every length and place is the division's", "[crc32]") {
    std::mt19937 random(5);
    std::vector<std::byte> bytes(700);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    const std::span<const std::byte> all(bytes);
    for (std::size_t size = 0; size <= 400; ++size) {
        const auto some = all.subspan(random() % 64, size);
        REQUIRE(crc32(some) == divided(some));
        REQUIRE(crc32_portable(some) == divided(some));
    }
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {  // in two parts
        REQUIRE(crc32(all.subspan(cut), crc32(all.first(cut))) == divided(all));
        REQUIRE(crc32_portable(all.subspan(cut), crc32_portable(all.first(cut))) == divided(all));
    }
}
