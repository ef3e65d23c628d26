#pragma once
/// Vectors to rows as an index stores them, and back.
#include <cstddef>
#include <span>

#include "unitvec/search/vector_type.hpp"

namespace unitvec {

/// Bytes of a stored row. @param dim  of bits: a multiple of 8
[[nodiscard]] std::size_t row_bytes(VectorType type, std::size_t dim);

/// The nearest row that `type` can hold: float16 rounds each component to nearest, ties to even;
/// int8 takes the largest component's size / 127 as the scale.
/// @param row  row_bytes(type, dim) bytes, written whole; `type` is not bits
void encode_row(VectorType type, std::span<const float> x, std::byte* row);

/// Whether bytes, from a file say, are a row that encode_row() could have written, and of bits
/// whether what follows them is 0: all numbers finite, and no length above 5e18.
[[nodiscard]] bool is_sound_row(VectorType type, std::size_t dim, const std::byte* row);

/// The largest size of a component that `type` can hold.
[[nodiscard]] float largest_component(VectorType type);

}  // namespace unitvec
