#if defined(__AVX512F__)  // CMake sets the flag for this file where the processor family has
                          // AVX-512
#include <immintrin.h>

#include "kernels/distance_rows.hpp"

namespace unitvec::kernels {
namespace {

struct Avx512 {
    using Reg = __m512;
    static constexpr std::size_t kWidth = 16;
    static constexpr std::size_t kRows = 4;  // 4 rows x 4 sums: half of the 32 registers

    static Reg zero() { return _mm512_setzero_ps(); }
    static Reg load(const float* p) { return _mm512_loadu_ps(p); }
    static Reg load_first(const float* p, std::size_t n) {
        return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << n) - 1U), p);
    }
    static Reg add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
    static Reg sub(Reg a, Reg b) { return _mm512_sub_ps(a, b); }
    static Reg fma(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
    static Reg abs(Reg a) { return _mm512_abs_ps(a); }
    static float sum(Reg a) {
        // Zero-masked, because GCC 12 warns inside _mm512_reduce_add_ps and the plain extract.
        const __m256 eight = _mm256_add_ps(_mm512_maskz_extractf32x8_ps(0xFF, a, 0),
                                           _mm512_maskz_extractf32x8_ps(0xFF, a, 1));
        const __m128 four =
            _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
        const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
    }
};

}  // namespace

const DistanceKernels kDistanceAvx512 = make_kernels<Avx512>();

}  // namespace unitvec::kernels
#endif
