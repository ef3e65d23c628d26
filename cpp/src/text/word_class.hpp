#pragma once
/// What a code point does where text is cut into words as people mean them (words.hpp); Unicode
/// 16.0. unicode/generate_tables.py says which class a code point has, and why.
#include <cstdint>
#include <span>

namespace unitvec {

enum class WordClass : std::uint8_t {
    other,        ///< unassigned or private use: part of a word
    space,        ///< white space, controls, ZERO WIDTH SPACE
    letter,       ///< L* that is no capital
    upper,        ///< Lu, Lt
    mark,         ///< M*, joiners, the prolonged sound mark: belongs to what stands before it
    digit,        ///< Nd
    number,       ///< Nl, No
    connector,    ///< Pc: part of a word
    punctuation,  ///< P* but Pc
    symbol,       ///< S* that is no picture
    format,       ///< Cf: part of a word within one, nothing elsewhere
    ideograph,    ///< a letter or number of the script Han
    hiragana,
    katakana,
    emoji,     ///< shown as a picture
    regional,  ///< half of a flag
    modifier,  ///< a skin tone
};

/// The class of the code points first ... last; WordClass::other elsewhere.
struct WordClassRange {
    char32_t first, last;
    std::uint8_t value;
};

std::span<const WordClassRange> word_class_ranges();

[[nodiscard]] WordClass word_class(char32_t code);

}  // namespace unitvec
