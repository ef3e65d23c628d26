#pragma once
/// Encodings of different lengths as the rectangular arrays that models take.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "unitvec/text/encoding.hpp"

namespace unitvec {

/// What fills the places of a row that has no token for them.
struct Padding {
    std::size_t length = 0;       ///< at least this many columns; 0: as the longest encoding
    std::size_t multiple_of = 0;  ///< columns are rounded up to a multiple of this; 0: they are not
    std::int32_t pad_id = 0;
    TruncationSide side = TruncationSide::right;  ///< where the padding stands
};

/// Arrays of shape (rows, cols), row-major; a row is an encoding.
struct PaddedBatch {
    std::size_t rows = 0;
    std::size_t cols = 0;
    std::vector<std::int64_t> input_ids;
    std::vector<std::int64_t> token_type_ids;       ///< 0 at padding
    std::vector<std::int64_t> attention_mask;       ///< 1 = token, 0 = padding
    std::vector<std::int64_t> special_tokens_mask;  ///< 1 at padding too
    std::vector<std::int64_t> offsets;              ///< shape (rows, cols, 2); (0, 0) at padding
};

/// Copies encodings into arrays; their overflowing windows are left out.
[[nodiscard]] PaddedBatch pad(std::span<const Encoding* const> encodings, const Padding& padding);

}  // namespace unitvec
