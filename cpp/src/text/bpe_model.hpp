#pragma once
/// GPT-2's and RoBERTa's way from text to tokens: words with the space before them, as bytes,
/// merged.
#include "bpe.hpp"
#include "normalizer.hpp"
#include "subword_model.hpp"

namespace unitvec {

/// What a file says about the pre-tokeniser "ByteLevel".
struct ByteLevelSettings {
    bool add_prefix_space = false;  ///< a text without a space in front gets one
    bool use_regex = true;          ///< split into words; else a stretch of text is one word
};

class BpeModel final : public SubwordModel {
public:
    BpeModel(Normalizer normalizer, BytePairEncoding bpe, ByteLevelSettings settings);

    void append_ids(std::string_view text, IdSink& ids) const override;
    void append_pieces(std::string_view text, Pieces& pieces) const override;
    void append_normalized(std::span<const NormalizedCharacter> text,
                           Pieces& pieces) const override;

private:
    [[nodiscard]] bool gets_prefix(std::string_view text) const;
    template <typename OnWord>
    void for_each_word(std::string_view text, OnWord on_word) const;
    template <typename SourceOf>
    void append_words(std::string_view text, SourceOf source_of, Pieces& pieces) const;

    BytePairEncoding bpe_;
    ByteLevelSettings settings_;
};

}  // namespace unitvec
