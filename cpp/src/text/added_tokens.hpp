#pragma once
/// Tokens that are looked for in the text itself, before it is split into words: [SEP], <mask> and
/// those that users add.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "subword_model.hpp"
#include "trie.hpp"

namespace unitvec {

/// An added token as tokenizer.json describes it.
struct AddedToken {
    std::string content;
    std::int32_t id = 0;
    bool special = false;      ///< left out by decode where that is asked for
    bool single_word = false;  ///< not found inside a word
    bool lstrip = false;       ///< takes white space before it
    bool rstrip = false;       ///< takes white space after it
    bool normalized = false;   ///< looked for in the normalised text
};

/// Finds some added tokens in a text: leftmost first, of several there the longest. Immutable.
class AddedTokenFinder {
public:
    struct Match {
        std::size_t begin, end;  ///< bytes, white space taken by lstrip and rstrip included
        std::int32_t id;
    };

    AddedTokenFinder() = default;
    /// @param patterns  for each token what to look for; empty ones are never found
    AddedTokenFinder(std::vector<AddedToken> tokens, std::vector<std::string> patterns);
    AddedTokenFinder(AddedTokenFinder&&) = default;
    AddedTokenFinder& operator=(AddedTokenFinder&&) = default;

    [[nodiscard]] bool is_empty() const { return tokens_.empty(); }

    /// A walk over one text from left to right.
    class Search {
    public:
        Search(const AddedTokenFinder& finder, std::string_view text)
            : finder_(finder), text_(text) {}
        /// The next match. As in `tokenizers`, white space that the last one took by rstrip can be
        /// part of this one too, if a token begins with white space.
        std::optional<Match> next();

    private:
        const AddedTokenFinder& finder_;
        std::string_view text_;
        std::size_t at_ = 0;    ///< where to look next
        std::size_t done_ = 0;  ///< the end of the last match
    };

private:
    [[nodiscard]] std::size_t candidate(std::string_view text, std::size_t from) const;
    [[nodiscard]] bool stands_alone(std::string_view text, std::size_t begin,
                                    std::size_t end) const;

    std::vector<AddedToken> tokens_;
    std::vector<std::string> patterns_;
    Trie trie_;
    std::array<bool, 256> is_first_byte_{};
    std::string first_bytes_;
};

}  // namespace unitvec
