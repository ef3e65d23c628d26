#pragma once
/// Whole words of at most 16 bytes and their ids, compared as two machine words.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace unitvec {

/// A word of at most 16 bytes, padded with zeros.
struct WordKey {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::uint32_t length = 0;

    static constexpr std::size_t kMaxLength = 16;

    /// @param word  at most kMaxLength bytes
    static WordKey of(std::string_view word) {
        std::array<std::uint64_t, 2> halves{};
        std::memcpy(halves.data(), word.data(), word.size());
        return {halves[0], halves[1], static_cast<std::uint32_t>(word.size())};
    }

    bool operator==(const WordKey&) const = default;
};

/// Open addressing with a bounded number of probes. A word that finds no place is left out, so the
/// table may answer "not known" for a known word: it is a short cut, never the truth.
class WordTable {
public:
    WordTable() : WordTable(0) {}
    explicit WordTable(std::size_t words) {
        const auto slots = std::bit_ceil(words * 2 + kProbes);
        shift_ = 64 - std::countr_zero(slots);
        slots_.resize(slots + kProbes);
    }

    void insert(const WordKey& key, std::int32_t id) {
        for (std::size_t i = home(key), end = i + kProbes; i < end; ++i) {
            if (slots_[i].id < 0) {
                slots_[i] = {key, id};
                return;
            }
        }
    }

    /// The word's id, or -1.
    [[nodiscard]] std::int32_t find(const WordKey& key) const {
        for (std::size_t i = home(key), end = i + kProbes; i < end; ++i) {
            if (slots_[i].key == key || slots_[i].id < 0) return slots_[i].id;
        }
        return -1;
    }

private:
    static constexpr std::size_t kProbes = 8;

    struct Slot {
        WordKey key;
        std::int32_t id = -1;
    };

    [[nodiscard]] std::size_t home(const WordKey& key) const {
        auto h = (key.low ^ std::rotl(key.high, 29)) * 0x9E3779B97F4A7C15U;
        h = (h ^ (h >> 32)) * 0x9E3779B97F4A7C15U;
        return static_cast<std::size_t>(h >> shift_);
    }

    int shift_ = 0;
    std::vector<Slot> slots_;
};

}  // namespace unitvec
