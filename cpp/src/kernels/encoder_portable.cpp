// The encoder's kernels for portable; the build compiles this file with that instruction set.
#define UNITVEC_LANES 4
#define UNITVEC_TILE_ROWS 4
#include "kernels/encoder_kernels.inc"

namespace unitvec::kernels {
const EncoderKernels kEncoderPortable = {layer_norm, embed_token, attention, attention_scratch,
                                         exp_each};
}  // namespace unitvec::kernels
