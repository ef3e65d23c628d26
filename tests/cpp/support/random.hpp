#pragma once
/// Seeded data: the same numbers on every machine and standard library.
#include <cstdint>
#include <vector>

/// `n` floats in [-1, 1), from SplitMix64 (Steele, Lea and Flood 2014).
inline std::vector<float> random_floats(std::size_t n, std::uint64_t seed) {
    std::vector<float> values(n);
    std::uint64_t state = seed * 0x9E3779B97F4A7C15ULL;
    for (float& value : values) {
        std::uint64_t z = (state += 0x9E3779B97F4A7C15ULL);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        z ^= z >> 31;
        value = static_cast<float>(z >> 40) / static_cast<float>(1 << 23) - 1.0F;
    }
    return values;
}
