#pragma once
/// Vectors and queries as users bring them: checked, and in the form that a store takes.
#include "search/vector_store.hpp"
#include "unitvec/search/index.hpp"

namespace unitvec {

/// @returns (n, store.query_cols()): numbers, of length 1 under cosine, or rows of bits
/// @throws std::invalid_argument on another shape or type, a number that is not finite, or a
///         length or component out of range, with its row
[[nodiscard]] Matrix prepared_vectors(const VectorStore& store, MatrixView<const float> vectors);
[[nodiscard]] Matrix prepared_vectors(const VectorStore& store, BitsView vectors);
/// The same for queries, which may be 0 and are compared in float32.
/// @param function  named in errors
[[nodiscard]] Matrix prepared_queries(const char* function, const VectorStore& store,
                                      MatrixView<const float> queries);
[[nodiscard]] Matrix prepared_queries(const char* function, const VectorStore& store,
                                      BitsView queries);

}  // namespace unitvec
