// The encoder's kernels for portable; the build compiles this file with that instruction set.
#define UNITVEC_LANES 4
#define UNITVEC_TILE_ROWS 6
#define UNITVEC_KERNELS kEncoderPortable
#include "kernels/encoder_kernels.inc"
