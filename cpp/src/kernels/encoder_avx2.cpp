#if defined(__x86_64__)
// The encoder's kernels for avx2; the build compiles this file with that instruction set.
#define UNITVEC_LANES 8
#define UNITVEC_TILE_ROWS 6
#include "kernels/encoder_kernels.inc"

namespace unitvec::kernels {
const EncoderKernels kEncoderAvx2 = {layer_norm, embed_token, attention, attention_scratch,
                                     exp_each};
}  // namespace unitvec::kernels
#endif
