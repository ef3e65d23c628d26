#pragma once
/// One byte for every code point, found in two steps.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "unitvec/text/unicode.hpp"

namespace unitvec::unicode {

/// One byte for every code point, equal blocks of 256 stored once.
class ByteTable {
public:
    template <typename Range>
    ByteTable(std::span<const Range> ranges, std::uint8_t Range::* value) {
        std::vector<std::uint8_t> flat(kCodePoints);
        for (const auto& r : ranges) {
            std::fill(flat.begin() + r.first, flat.begin() + r.last + 1, r.*value);
        }
        std::size_t last_size = 0;
        for (std::size_t block = 0; block < index_.size(); ++block) {
            const auto begin = flat.begin() + static_cast<std::ptrdiff_t>(block * 256);
            // Only neighbours are compared: the long empty planes are what costs memory.
            if (block == 0 || !std::equal(begin, begin + 256, blocks_.end() - 256)) {
                last_size = blocks_.size();
                blocks_.insert(blocks_.end(), begin, begin + 256);
            }
            index_[block] = static_cast<std::uint32_t>(last_size);
        }
    }

    [[nodiscard]] std::uint8_t operator[](char32_t code) const {
        return code < kCodePoints ? blocks_[index_[code >> 8] + (code & 0xFF)] : std::uint8_t{0};
    }

private:
    std::array<std::uint32_t, kCodePoints / 256> index_{};
    std::vector<std::uint8_t> blocks_;
};

}  // namespace unitvec::unicode
