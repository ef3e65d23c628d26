#pragma once
/// A text cut into words, numbers and punctuation as people mean them: not the pieces of a
/// vocabulary (tokenizer.hpp), but what stop words, lemmas and keyword search are about.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace unitvec {

enum class WordKind : std::uint8_t {
    word,         ///< "restaurant", "don't", "state-of-the-art", "C++", "U.S."
    number,       ///< "5", "1,000.50", "10:30", "2024-01-05", "-5", "5+"
    punctuation,  ///< one mark; two or more full stops or hyphens in a row are one token
    symbol,       ///< one character of category S that is no picture: "$", "=", "%" is punctuation
    emoji,        ///< a picture with its skin tone and what is joined to it; a flag; a keycap
    emoticon,     ///< ":-)", "<3", between white space
    url,          ///< "https://example.com/a", "www.example.com", "example.com/a"
    email,        ///< "ann@example.com"
    hashtag,      ///< "#python"
    mention,      ///< "@ann"
};

/// The bytes [begin, end) of the text.
struct Word {
    std::size_t begin;
    std::size_t end;
    WordKind kind;

    bool operator==(const Word&) const = default;
};

enum class Joined : std::uint8_t { kept, split };

struct WordRules {
    Joined contractions = Joined::kept;  ///< split: "do" "n't", "Ann" "'s", as in treebanks
    Joined hyphens = Joined::kept;       ///< split: "well" "-" "known"
};

/// Appends the words of a text, in order.
///
/// Every character stands in one word, but white space, controls, ZERO WIDTH SPACE, and format
/// characters (Cf) outside words. Marks between letters belong to the word: apostrophes, hyphens,
/// full stops before a small letter or digit ("node.js"), `&` between capitals ("AT&T"); between
/// digits also `.,:/-`. An ideograph is a word; so is a run of Hiragana or of Katakana, and of
/// letters of scripts without spaces (Thai, Lao, Khmer, Burmese), which need a dictionary. Bytes
/// that are not UTF-8 are read as U+FFFD.
///
/// Linear in the text's length. Safe from many threads.
void split_words(std::string_view utf8, const WordRules& rules, std::vector<Word>& out);

/// What a token that somebody else cut out is: the kind of its only word; punctuation or symbol
/// where there are only such marks; else a word.
[[nodiscard]] WordKind kind_of_word(std::string_view token);

}  // namespace unitvec
