#pragma once
/// CRC-32 as zlib has it (ISO 3309, polynomial 0xEDB88320): it finds every change of up to 32
/// neighbouring bits.
#include <cstddef>
#include <cstdint>
#include <span>

namespace unitvec {

/// @param start  the CRC-32 of what comes before these bytes
[[nodiscard]] std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t start = 0);

/// The same, by a table: for processors without carry-less products, and to test the others by.
[[nodiscard]] std::uint32_t crc32_portable(std::span<const std::byte> bytes,
                                           std::uint32_t start = 0);

}  // namespace unitvec
