#pragma once
/// The generated Unicode tables, as sorted lists; unicode/README.md says how to make them anew.
#include <array>
#include <cstdint>
#include <span>

namespace unitvec::unicode_tables {

/// The flags (unicode.hpp's `Property`) of the code points first ... last; none elsewhere.
struct PropertyRange {
    char32_t first, last;
    std::uint8_t flags;
};

/// The canonical combining class of the code points first ... last; 0 elsewhere.
struct ClassRange {
    char32_t first, last;
    std::uint8_t value;
};

/// A full canonical decomposition, zero-terminated where shorter; Hangul syllables are computed.
struct Decomposition {
    char32_t code;
    std::array<char32_t, 4> to;
};

/// A full lower-case mapping, zero-terminated where shorter.
struct LowerCase {
    char32_t code;
    std::array<char32_t, 2> to;
};

std::span<const PropertyRange> properties();
std::span<const ClassRange> combining_classes();
std::span<const Decomposition> decompositions();
std::span<const LowerCase> lower_cases();

}  // namespace unitvec::unicode_tables
