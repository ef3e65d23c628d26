// The encoder's kernels for portable; the build compiles this file with that instruction set.
#define UNITVEC_LANES 4
#define UNITVEC_TILE_ROWS 6
#include "kernels/encoder_kernels.inc"

namespace unitvec::kernels {

const EncoderKernels kEncoderPortable = {
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
