#include "kernels/encoder.hpp"

namespace unitvec::kernels {

const EncoderKernels& encoder_kernels(Isa isa) {
#if defined(__x86_64__)
#if defined(UNITVEC_AVX512_BF16)
    if (isa == Isa::avx512_bf16) return kEncoderAvx512Bf16;
#endif
#if defined(UNITVEC_AVX512_VNNI)
    if (isa == Isa::avx512_vnni) return kEncoderAvx512Vnni;
#endif
    if (isa == Isa::avx512) return kEncoderAvx512;
#if defined(UNITVEC_AVX2_VNNI)
    if (isa == Isa::avx2_vnni) return kEncoderAvx2Vnni;
#endif
    if (isa == Isa::avx2) return kEncoderAvx2;
#endif
    (void)isa;
    return kEncoderPortable;
}

}  // namespace unitvec::kernels
