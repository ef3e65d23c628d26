#if defined(__x86_64__)
// The encoder's kernels for avx512; the build compiles this file with that instruction set.
#define UNITVEC_LANES 16
#define UNITVEC_TILE_ROWS 8
#include "kernels/encoder_kernels.inc"

namespace unitvec::kernels {
const EncoderKernels kEncoderAvx512 = {layer_norm, embed_token, attention, attention_scratch,
                                       exp_each};
}  // namespace unitvec::kernels
#endif
