#pragma once
/// Which instruction sets this processor offers, and which one the kernels use.
#include <string_view>
#include <vector>

namespace unitvec {

/// Instruction sets with kernels of their own, slowest first. VNNI adds up products of bytes in one
/// instruction, BF16 products of bfloat16.
enum class Isa {
    portable,     ///< whatever the compiler's baseline allows
    avx2,         ///< AVX2, FMA and F16C
    avx2_vnni,    ///< and AVX-VNNI: Alder Lake and later, Zen 5
    avx512,       ///< AVX-512 F, BW, DQ, VL
    avx512_vnni,  ///< and VNNI: Cascade Lake, Ice Lake, Zen 4
    avx512_bf16,  ///< and BF16: Cooper Lake, Sapphire Rapids, Zen 4
};

/// The enumerator's name, such as "avx512_vnni".
[[nodiscard]] std::string_view name(Isa isa);

/// The sets that this build holds kernels for and this processor can run, slowest first. In a build
/// with UNITVEC_EMULATED_ISAS also those that it emulates.
[[nodiscard]] std::vector<Isa> available_isas();

/// The set in use: the fastest that the processor itself offers, or one of available_isas() named
/// by the environment variable UNITVEC_ISA (read once; a name that is unknown or not available here
/// throws std::invalid_argument, so that a typing error is not mistaken for a measurement).
[[nodiscard]] Isa active_isa();

/// How products of bfloat16 are made: "native", or "widened to float32", which saves memory only.
[[nodiscard]] std::string_view bfloat16_products(Isa isa);

/// How products of bytes are made: "VNNI", "AVX-512", "AVX2" or "portable", fastest first.
[[nodiscard]] std::string_view int8_products(Isa isa);

}  // namespace unitvec
