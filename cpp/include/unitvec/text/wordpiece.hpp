#pragma once
/// WordPiece: cuts a word into the longest known pieces, from left to right (Wu et al., "Google's
/// Neural Machine Translation System", 2016, section 4.1; the greedy reading is BERT's).
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "unitvec/text/vocabulary.hpp"

namespace unitvec {

class WordTable;
struct WordKey;

/// Immutable; a copy shares everything.
class WordPiece {
public:
    /// A token and the bytes [begin, end) of the word that it stands for.
    struct Span {
        std::int32_t id;
        std::uint32_t begin, end;
    };

    /// @param unknown     the id for words that cannot be cut into known pieces
    /// @param prefix      what stands before pieces that continue a word: "##"
    /// @param max_chars   longer words (code points) are unknown
    WordPiece(Vocabulary vocabulary, std::int32_t unknown, std::string prefix,
              std::size_t max_chars);

    /// Appends the pieces of a word (UTF-8, not empty); the unknown token where it cannot be cut.
    void append(std::string_view word, std::vector<Span>& spans) const;
    void append(std::string_view word, std::vector<std::int32_t>& ids) const;

    /// The id of a word that is a token itself, or -1 ("not a token", or "use append").
    [[nodiscard]] std::int32_t find_whole(const WordKey& word) const;

    [[nodiscard]] const Vocabulary& vocabulary() const { return vocabulary_; }
    [[nodiscard]] std::int32_t unknown() const { return unknown_; }
    [[nodiscard]] const std::string& prefix() const { return prefix_; }
    [[nodiscard]] std::size_t max_chars() const { return max_chars_; }

private:
    template <typename Output>
    void cut(std::string_view word, std::vector<Output>& out) const;
    [[nodiscard]] bool is_too_long(std::string_view word) const;

    Vocabulary vocabulary_;
    std::int32_t unknown_;
    std::string prefix_;
    std::size_t max_chars_;
    std::uint32_t continuation_;  ///< the trie's node behind the prefix
    std::shared_ptr<const WordTable> whole_words_;
};

}  // namespace unitvec
