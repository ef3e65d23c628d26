#include "kernels/encoder.hpp"

namespace unitvec::kernels {

const EncoderKernels& encoder_kernels(Isa isa) {
#if defined(__x86_64__)
    if (isa == Isa::avx512) return kEncoderAvx512;
    if (isa == Isa::avx2) return kEncoderAvx2;
#endif
    (void)isa;
    return kEncoderPortable;
}

}  // namespace unitvec::kernels
