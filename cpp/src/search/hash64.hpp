#pragma once
/// XXH64, the hash that guards index files (https://xxhash.com, "xxHash fast digest algorithm",
/// specification 0.2.0): about as fast as memory. Any change within one aligned 8-byte word changes
/// it, because each step is a bijection of the word; it does not protect against an attacker.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace unitvec {

class Hash64 {
public:
    void update(std::span<const std::byte> bytes);
    [[nodiscard]] std::uint64_t digest() const;

private:
    static constexpr std::size_t kStripe = 32;  // bytes: one word for each of four sums
    void take_stripe(const std::byte* stripe);

    static constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87;
    static constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4F;
    std::array<std::uint64_t, 4> sums_{kPrime1 + kPrime2, kPrime2, 0, 0 - kPrime1};
    std::array<std::byte, kStripe> rest_{};
    std::size_t rest_size_ = 0;
    std::uint64_t size_ = 0;
};

[[nodiscard]] std::uint64_t hash64(std::span<const std::byte> bytes);

}  // namespace unitvec
