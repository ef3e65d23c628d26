#pragma once
/// Which instruction sets this processor offers, and which one the kernels use.
#include <string_view>
#include <vector>

namespace unitvec {

/// Instruction sets with kernels of their own, slowest first.
enum class Isa {
    portable,  ///< whatever the compiler's baseline allows
    avx2,      ///< AVX2 and FMA
    avx512,    ///< AVX-512 F, BW, DQ, VL
};

/// "portable", "avx2" or "avx512".
[[nodiscard]] std::string_view name(Isa isa);

/// The sets that this build holds kernels for and this processor can run, slowest first.
[[nodiscard]] std::vector<Isa> available_isas();

/// The set in use: the fastest available, or a slower one named by the environment variable
/// UNITVEC_ISA (read once; a name that is unknown or not available here throws
/// std::invalid_argument, so that a typing error is not mistaken for a measurement).
[[nodiscard]] Isa active_isa();

}  // namespace unitvec
