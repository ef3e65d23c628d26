#pragma once
/// What a tokeniser makes of one text or of one pair of texts.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace unitvec {

/// Where a token comes from: code points [begin, end) of the original text. (0, 0) for a special
/// token that the tokeniser put in. Tokens of the second text of a pair count in that text.
struct Offset {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    bool operator==(const Offset&) const = default;
};

/// Which text loses tokens when a pair is too long.
enum class TruncationStrategy {
    longest_first,  ///< the longer one, until both fit; of two equally long ones the first
    only_first,     ///< the first text only; an error where that does not suffice
    only_second,    ///< the second text only; an error where that does not suffice
};

/// Which end of a text is cut off.
enum class TruncationSide { right, left };

/// How texts become encodings.
struct EncodeOptions {
    bool add_special_tokens = true;
    std::size_t max_length = 0;  ///< most tokens of one encoding, special ones counted; 0: no limit
    std::size_t stride = 0;  ///< tokens that an overflowing window shares with the one before it
    TruncationStrategy strategy = TruncationStrategy::longest_first;
    std::optional<TruncationSide> side = {};  ///< nothing: the tokeniser's truncation_side()
};

/// The tokens of a text or of a pair, all vectors of one length.
struct Encoding {
    std::vector<std::int32_t> ids;
    std::vector<std::int32_t>
        type_ids;  ///< 0 for the first text, 1 for the second, as the model says
    std::vector<std::uint8_t> attention_mask;       ///< 1 = token, 0 = padding
    std::vector<std::uint8_t> special_tokens_mask;  ///< 1 = put in by the tokeniser
    std::vector<Offset> offsets;
    std::vector<std::int32_t> word_ids;      ///< number of the token's word in its text; -1: none
    std::vector<std::int32_t> sequence_ids;  ///< 0: first text, 1: second text, -1: special token
    std::vector<Encoding> overflowing;       ///< what `max_length` cut off, as further windows

    [[nodiscard]] std::size_t size() const { return ids.size(); }
};

}  // namespace unitvec
