#pragma once
/// From a stretch of text without added tokens to tokens: what WordPiece and byte-level BPE share.
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "id_sink.hpp"
#include "normalizer.hpp"

namespace unitvec {

/// A token and where it comes from.
struct Piece {
    std::int32_t id;
    std::uint32_t begin, end;  ///< code points of the text
    std::uint32_t word;        ///< number of the word in the text
    /// White space at both ends of an added token's text, in code points; of other tokens their
    /// spelling says it.
    std::int32_t leading = kAsSpelled, trailing = kAsSpelled;

    static constexpr std::int32_t kAsSpelled = -1;
};

/// Tokens of a text, and how far it has been read.
struct Pieces {
    std::vector<Piece> tokens;
    std::uint32_t position = 0;  ///< code points read so far
    std::uint32_t words = 0;     ///< words found so far
};

/// Normalises, splits into words and cuts these into tokens. Immutable, safe from many threads.
class SubwordModel {
public:
    explicit SubwordModel(Normalizer normalizer) : normalizer_(std::move(normalizer)) {}
    virtual ~SubwordModel() = default;
    SubwordModel(const SubwordModel&) = delete;
    SubwordModel& operator=(const SubwordModel&) = delete;

    /// Appends the tokens' ids. @param text UTF-8
    virtual void append_ids(std::string_view text, IdSink& ids) const = 0;
    /// Appends the tokens with their places and moves `pieces.position` behind the text.
    virtual void append_pieces(std::string_view text, Pieces& pieces) const = 0;

    /// False where normalize() gives every text back as it is.
    [[nodiscard]] bool changes_text() const { return !normalizer_.is_empty(); }
    /// The text after normalisation; sources count from the start of `text`.
    [[nodiscard]] NormalizedText normalize(std::string_view text) const {
        return normalizer_.apply(unicode::decode(text));
    }
    /// Appends the tokens of text that is normalised already; its sources are code points of the
    /// whole text. `pieces.position` stays.
    virtual void append_normalized(std::span<const NormalizedCharacter> text,
                                   Pieces& pieces) const = 0;

protected:
    [[nodiscard]] const Normalizer& normalizer() const { return normalizer_; }

private:
    Normalizer normalizer_;
};

}  // namespace unitvec
