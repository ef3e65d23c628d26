#pragma once
/// BERT's way from text to tokens: normalise, split at white space and punctuation, WordPiece.
#include <array>
#include <cstdint>

#include "character_table.hpp"
#include "normalizer.hpp"
#include "subword_model.hpp"
#include "unitvec/text/wordpiece.hpp"

namespace unitvec {

class BertModel final : public SubwordModel {
public:
    BertModel(Normalizer normalizer, WordPiece wordpiece);

    void append_ids(std::string_view text, IdSink& ids) const override;
    void append_pieces(std::string_view text, Pieces& pieces) const override;
    void append_normalized(std::span<const NormalizedCharacter> text,
                           Pieces& pieces) const override;

private:
    template <typename Output>
    friend class BertScanner;

    CharacterTable table_;
    WordPiece wordpiece_;
    std::uint64_t lower_bit_;                     ///< 0x20 in every byte if capitals are folded
    std::array<std::int32_t, 128> isolated_ids_;  ///< tokens of ASCII punctuation
    std::array<bool, 128> ends_word_;             ///< ASCII that is a space or punctuation
};

}  // namespace unitvec
