#if defined(__x86_64__)
// The encoder's kernels for avx2; the build compiles this file with that instruction set.
#define UNITVEC_LANES 8
#define UNITVEC_TILE_ROWS 4
#define UNITVEC_TILE_COLS 3
#define UNITVEC_INT8_ROWS 4
#define UNITVEC_INT8_COLS 2
#define UNITVEC_HEAD_ROWS 6
#define UNITVEC_HEAD_COLS 2
#define UNITVEC_KERNELS kEncoderAvx2
#include "kernels/encoder_kernels.inc"
#endif
