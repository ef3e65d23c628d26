#if defined(__AVX2__)  // CMake sets the flag for this file where the processor family has AVX2
#include <immintrin.h>

#include "kernels/distance_rows.hpp"

namespace unitvec::kernels {
namespace {

alignas(32) constexpr std::int32_t kMasks[16] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                                 0,  0,  0,  0,  0,  0,  0,  0};

struct Avx2 {
    using Reg = __m256;
    static constexpr std::size_t kWidth = 8;
    static constexpr std::size_t kRows = 2;  // 2 rows x 4 sums: half of the 16 registers

    static Reg zero() { return _mm256_setzero_ps(); }
    static Reg load(const float* p) { return _mm256_loadu_ps(p); }
    static Reg load_first(const float* p, std::size_t n) {
        const auto* mask = reinterpret_cast<const __m256i*>(kMasks + 8 - n);
        return _mm256_maskload_ps(p, _mm256_loadu_si256(mask));
    }
    static Reg add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
    static Reg sub(Reg a, Reg b) { return _mm256_sub_ps(a, b); }
    static Reg fma(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
    static Reg abs(Reg a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a); }
    static float sum(Reg a) {
        const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
        const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
    }
};

}  // namespace

const DistanceKernels kDistanceAvx2 = make_kernels<Avx2>();

}  // namespace unitvec::kernels
#endif
