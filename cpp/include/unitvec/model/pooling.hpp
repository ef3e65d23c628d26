#pragma once
/// Pooling: from one vector per token to one vector per text.
#include <cstddef>
#include <span>
#include <string_view>

#include "unitvec/types.hpp"

namespace unitvec {

enum class Pooling {
    cls,   ///< the vector of the first token, [CLS]
    mean,  ///< the mean over all tokens, [CLS] and [SEP] counted (sentence-transformers'
           ///< convention)
    max,   ///< the largest value of each dimension
};

/// "cls", "mean" or "max". @throws std::invalid_argument for another name
[[nodiscard]] Pooling pooling_from_name(std::string_view name);
[[nodiscard]] std::string_view name(Pooling pooling);

/// One vector per text from the vectors of its tokens; texts lie one after another, unpadded.
///
///   mean: out[t] = sum(tokens[offsets[t] .. offsets[t + 1])) / (offsets[t + 1] - offsets[t])
///
/// @param tokens   shape (offsets.back(), dim)
/// @param offsets  shape (texts + 1), ascending from 0: where each text begins
/// @param out      shape (texts, dim); a text without tokens gives a row of zeros
/// @throws std::invalid_argument if the shapes do not fit together
///
/// O(tokens * dim), no allocation; the result of a text depends on its own tokens alone.
void pool(MatrixView<const float> tokens, std::span<const std::size_t> offsets, Pooling pooling,
          MatrixView<float> out);

}  // namespace unitvec
