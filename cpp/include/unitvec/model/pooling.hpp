#pragma once
/// Pooling: from one vector per token to one vector per text.
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "unitvec/types.hpp"

namespace unitvec {

enum class Pooling {
    cls,            ///< the vector of the first token, [CLS]
    mean,           ///< the mean over all tokens, [CLS] and [SEP] counted (sentence-transformers'
                    ///< convention)
    mean_words,     ///< the mean over what is neither [CLS] nor [SEP]
    max,            ///< the largest value of each dimension
    mean_sqrt_len,  ///< the sum over all tokens, divided by the root of their number
    weighted_mean,  ///< the mean where the i-th token counts i times (Muennighoff 2022, SGPT)
    last_token,     ///< the vector of the last token
};

/// "cls", "mean", "max", "mean_sqrt_len_tokens" (or "mean_sqrt_len"), "weightedmean", "lasttoken",
/// which are sentence-transformers' names, and "mean_words".
/// @throws std::invalid_argument for another name
[[nodiscard]] Pooling pooling_from_name(std::string_view name);
[[nodiscard]] std::string_view name(Pooling pooling);

/// How token vectors become a text's.
struct PoolingPlan {
    std::vector<Pooling> modes{Pooling::mean};  ///< several: their results side by side
    std::size_t skipped = 0;  ///< tokens at the start of every text that do not count: a prompt's
    std::size_t special_first = 1;  ///< tokens at the start of every text that are no words: [CLS]
    std::size_t special_last = 1;   ///< the same at its end: [SEP]
};

/// One vector per text from the vectors of its tokens; texts lie one after another, unpadded.
///
///   mean: out[t] = sum(tokens[offsets[t] .. offsets[t + 1])) / (offsets[t + 1] - offsets[t])
///
/// A token behind skipped ones keeps its weight in a weighted mean.
///
/// @param tokens   shape (offsets.back(), dim)
/// @param offsets  shape (texts + 1), ascending from 0: where each text begins
/// @param out      shape (texts, modes * dim); a text without tokens that count gives zeros
/// @throws std::invalid_argument if the shapes do not fit together
///
/// O(tokens * dim), no allocation; the result of a text depends on its own tokens alone.
void pool(MatrixView<const float> tokens, std::span<const std::size_t> offsets,
          const PoolingPlan& plan, MatrixView<float> out);

}  // namespace unitvec
