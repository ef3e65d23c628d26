#pragma once
/// Normalisation, one rule after the other: clear rather than fast. character_table.hpp is the fast
/// way for single characters and is made by asking this one about each of them.
#include <cstdint>
#include <string_view>
#include <vector>

#include "unitvec/text/unicode.hpp"

namespace unitvec {

/// A character of the normalised text, and the code point of the original that it comes from.
struct NormalizedCharacter {
    char32_t code;
    std::uint32_t source;

    bool operator==(const NormalizedCharacter&) const = default;
};

using NormalizedText = std::vector<NormalizedCharacter>;

/// One rule of a normaliser.
enum class NormalizerStep {
    clean_text,           ///< controls, U+0000 and U+FFFD go; white space becomes a space
    space_chinese_chars,  ///< a space before and after every ideograph
    nfd,                  ///< canonical decomposition and ordering
    strip_nonspacing,     ///< category Mn goes: BertNormalizer's strip_accents behind nfd
    strip_marks,          ///< category M* goes: the normaliser StripAccents
    lowercase,            ///< full lower case, without context
};

/// Rules in the order in which they are applied.
class Normalizer {
public:
    Normalizer() = default;
    explicit Normalizer(std::vector<NormalizerStep> steps) : steps_(std::move(steps)) {}

    [[nodiscard]] bool has(NormalizerStep step) const;
    [[nodiscard]] bool is_empty() const { return steps_.empty(); }

    /// Applies all rules to a text. Where decomposition reorders marks, sources follow
    /// `tokenizers`: the i-th decomposed character, in the new order, is taken for the i-th
    /// original.
    [[nodiscard]] NormalizedText apply(std::u32string_view text) const;

    /// True for characters that clean_text takes away, if that is one of the rules.
    [[nodiscard]] bool removes_at_once(char32_t code) const;

private:
    std::vector<NormalizerStep> steps_;
};

/// The ideographs that BERT makes words of their own; its list, not a Unicode property.
[[nodiscard]] bool is_chinese_char(char32_t code);

}  // namespace unitvec
