#pragma once
/// Scores by the vectors themselves, as hits show them: summed in double.
#include <cstddef>
#include <span>
#include <vector>

#include "unitvec/types.hpp"

namespace unitvec {

/// A row's key and its score, larger is nearer.
struct Scored {
    Id key;
    float score;
};

/// out[i] compares a query, shape (dim,), with rows[i]; distances are negated.
///
/// A pair has the same bits whatever it is compared beside. The cosine of a zero vector is 0.
/// @throws std::invalid_argument for a metric over bits, or a shape that does not fit
void stored_scores(Metric metric, std::span<const float> query, MatrixView<const float> rows,
                   std::span<float> out);

/// The k nearest of some rows, best first; of equals that with the smaller key.
/// @param keys    of the rows, ascending
/// @param wanted  keys of the rows to compare, all of them among `keys`
/// @throws std::invalid_argument as stored_scores, or for a key that is not there
[[nodiscard]] std::vector<Scored> nearest_stored(Metric metric, std::span<const float> query,
                                                 std::span<const Id> keys,
                                                 MatrixView<const float> rows,
                                                 std::span<const Id> wanted, std::size_t k);

}  // namespace unitvec
