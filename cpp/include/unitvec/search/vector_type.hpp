#pragma once
/// What numbers an index keeps of its vectors.
#include <string_view>

namespace unitvec {

/// How the components of stored vectors are kept. Queries are float32 with all but `bits`.
enum class VectorType {
    float32,  ///< as they are; 4 * dim bytes
    float16,  ///< to 11 bits of precision, at most 65,504 in size; 2 * dim bytes
    int8,     ///< whole numbers from -127 to 127, times a scale for each vector; dim + 4 bytes
    bits,     ///< vectors of bits; dim / 8 bytes, rounded up to a multiple of 8
};

/// "float32", "float16", "int8" or "bits".
[[nodiscard]] std::string_view name(VectorType type);
/// @throws std::invalid_argument naming the types
[[nodiscard]] VectorType parse_vector_type(std::string_view name);

}  // namespace unitvec
