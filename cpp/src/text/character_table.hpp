#pragma once
/// What becomes of every single code point: normalised and sorted into kinds, in one look-up.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "normalizer.hpp"

namespace unitvec {

/// What a character does to words.
enum class CharacterKind : std::uint8_t {
    plain,      ///< part of a word
    space,      ///< ends a word and goes
    isolated,   ///< a word of its own: punctuation, an ideograph
    removed,    ///< goes; marks around it are put in order as if it were one of them or not there
    separator,  ///< goes, but keeps the marks on its two sides apart
    sequence,   ///< becomes several characters
    ordered,    ///< has a mark that stays: where it ends up depends on its neighbours
};

/// The kind of a character that is already normalised: plain, space or isolated.
[[nodiscard]] CharacterKind kind_of_normalized(char32_t code);

/// Whether a character belongs to the marks before it when these are put in order, instead of
/// starting anew: a mark with a combining class, or one that is gone before the ordering.
[[nodiscard]] bool continues_marks(const Normalizer& normalizer, char32_t code);

/// A two-stage table over all code points, made for one normaliser. Immutable.
class CharacterTable {
public:
    /// The kind in the lowest three bits; above it the character it becomes (0: it stays the same),
    /// or for a sequence where that starts. Most entries are 0, so most blocks are equal.
    class Entry {
    public:
        Entry() = default;
        Entry(CharacterKind kind, char32_t payload)
            : bits_((payload << 3) | static_cast<std::uint32_t>(kind)) {}
        [[nodiscard]] CharacterKind kind() const { return static_cast<CharacterKind>(bits_ & 7); }
        [[nodiscard]] std::uint32_t payload() const { return bits_ >> 3; }
        [[nodiscard]] char32_t applied_to(char32_t code) const {
            return payload() == 0 ? code : payload();
        }

    private:
        std::uint32_t bits_ = 0;
    };

    explicit CharacterTable(const Normalizer& normalizer);

    [[nodiscard]] Entry operator[](char32_t code) const {
        return entries_[blocks_[code >> kBlockBits] + (code & (kBlock - 1))];
    }
    /// The characters of a sequence.
    [[nodiscard]] std::span<const char32_t> sequence(Entry entry) const {
        return {sequences_.data() + entry.payload() + 1, sequences_[entry.payload()]};
    }

private:
    static constexpr unsigned kBlockBits = 7;
    static constexpr std::size_t kBlock = std::size_t{1} << kBlockBits;

    [[nodiscard]] Entry evaluate(const Normalizer& normalizer, char32_t code);
    [[nodiscard]] Entry as_sequence(const NormalizedText& characters);
    void store(const std::vector<Entry>& flat);

    std::array<std::uint32_t, unicode::kCodePoints / kBlock> blocks_{};
    std::vector<Entry> entries_;
    std::vector<char32_t> sequences_;  ///< length, characters, length, characters, ...
};

}  // namespace unitvec
