#pragma once
/// Words without what a reader of keywords does not want: punctuation, digits, stop words,
/// capitals.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "unitvec/text/words.hpp"

namespace unitvec {

/// What happens to tokens, in this order; whatever a step empties is gone.
struct CleanRules {
    WordRules words;

    bool strip_urls = false;
    bool strip_emails = false;

    /// Tokens of marks and pictures go; "#python", "@ann", "-5", "5+" lose the marks at their ends.
    bool remove_punctuation = false;
    bool marks_inside_words = false;  ///< "don't" -> "dont", "U.S." -> "US", "a-b" -> "a" "b"
    bool remove_category_p = true;    ///< which marks: general category P ...
    bool remove_category_s = true;    ///< ... and S
    bool keep_emoji = false;          ///< pictures and emoticons stay
    std::u32string keep;              ///< marks that stay, sorted

    bool remove_numbers = false;  ///< tokens that are numbers go: "5+"; "Python3" stays
    bool remove_digits = false;   ///< numbers, and every digit in words: "Python3" -> "Python"

    bool lowercase = false;                      ///< full mapping, with the final sigma
    std::unordered_set<std::string> stop_words;  ///< in lower case, with straight apostrophes
    std::size_t min_length = 0;                  ///< code points
};

/// What is left of some texts: `tokens` of all texts, one after the other, each an index into
/// `words`; those of text i end at `ends[i]`.
struct CleanedTexts {
    std::vector<std::string> words;
    std::vector<std::uint32_t> tokens;
    std::vector<std::size_t> ends;

    [[nodiscard]] std::string join(std::size_t text, std::string_view separator) const;
};

/// Immutable. Safe from many threads.
class WordCleaner {
public:
    explicit WordCleaner(CleanRules rules) : rules_(std::move(rules)) {}

    [[nodiscard]] const CleanRules& rules() const { return rules_; }

    /// Appends what becomes of one token: mostly one word or none. `min_length` is left to
    /// `remove_short`, since lemmas come in between.
    void apply(std::string_view token, WordKind kind, std::vector<std::string>& out) const;

    /// Splits and cleans texts; a word that comes again is looked up, not cleaned again.
    /// @throws std::length_error for more than 2^32 different words in one call
    [[nodiscard]] CleanedTexts clean(std::span<const std::string_view> texts) const;

    /// Takes the words shorter than `min_length`, and empty ones, out of the texts.
    void remove_short(CleanedTexts& texts) const;

private:
    void strip_marks(std::string& word, WordKind kind, std::vector<std::string>& parts) const;
    [[nodiscard]] bool is_removed_mark(char32_t code) const;
    [[nodiscard]] bool is_dropped(std::string_view token, WordKind kind) const;

    CleanRules rules_;
};

/// Full lower case; a capital sigma that ends a word becomes a final one (Unicode, section 3.13).
[[nodiscard]] std::string lower_case(std::string_view utf8);

}  // namespace unitvec
