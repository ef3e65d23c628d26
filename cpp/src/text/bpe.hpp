#pragma once
/// Byte pair encoding: starts from single bytes and merges neighbours, the most frequent pair of
/// the training text first (Sennrich et al., "Neural Machine Translation of Rare Words with Subword
/// Units", 2016).
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace unitvec {

class PairTable;
class Trie;
class WordTable;

/// Immutable; a copy shares everything.
class BytePairEncoding {
public:
    /// A token and the bytes [begin, end) of the word that it stands for.
    struct Span {
        std::int32_t id;
        std::uint32_t begin, end;
    };

    /// `left` followed by `right` becomes `result`.
    struct Merge {
        std::int32_t left, right, result;
    };

    /// A token as the bytes that it stands for.
    struct Token {
        std::string bytes;
        std::int32_t id;
    };

    /// @param byte_ids       the token of every single byte
    /// @param merges         the first has the highest priority; of two equal pairs the last counts
    /// @param tokens         all tokens, for a table of words that are one token as a whole
    /// @param ignore_merges  a word that is a token stays whole even where merges do not lead there
    BytePairEncoding(const std::array<std::int32_t, 256>& byte_ids,
                     const std::vector<Merge>& merges, const std::vector<Token>& tokens,
                     bool ignore_merges);

    /// Appends the tokens of a word (not empty). O(n log n) in its bytes.
    void append(std::string_view word, std::vector<Span>& spans) const;
    void append(std::string_view word, std::vector<std::int32_t>& ids) const;

private:
    [[nodiscard]] std::int32_t find_whole(std::string_view word) const;
    template <typename Output>
    void merge_short(std::string_view word, Output& out) const;
    template <typename Output>
    void merge_long(std::string_view word, Output& out) const;
    template <typename Output>
    void cut(std::string_view word, Output& out) const;

    std::array<std::int32_t, 256> byte_ids_;
    std::shared_ptr<const PairTable> pairs_;
    std::shared_ptr<const WordTable> whole_words_;  ///< a short cut: not every one that is a token
    std::shared_ptr<const Trie> all_words_;         ///< every token, with `ignore_merges` only
};

}  // namespace unitvec
