#if defined(__x86_64__)
// The encoder's kernels for avx512; the build compiles this file with that instruction set.
#define UNITVEC_LANES 16
#define UNITVEC_TILE_ROWS 12
#include "kernels/encoder_kernels.inc"

namespace unitvec::kernels {

const EncoderKernels kEncoderAvx512 = {
    .panel_width = kPanel,
    .packed_size = packed_size,
    .pack_weights = pack_weights,
    .linear = linear,
    .layer_norm = layer_norm,
    .embed_token = embed_token,
    .attention = attention,
    .attention_scratch = attention_scratch,
    .exp = exp_each,
    .erf = erf_each,
};

}  // namespace unitvec::kernels
#endif
