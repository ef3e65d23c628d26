#if defined(__x86_64__)
// The encoder's kernels for avx512; the build compiles this file with that instruction set.
#define UNITVEC_LANES 16
#define UNITVEC_TILE_ROWS 12
#define UNITVEC_TILE_COLS 2
#define UNITVEC_INT8_ROWS 8
#define UNITVEC_INT8_COLS 2
#define UNITVEC_HEAD_ROWS 12
#define UNITVEC_HEAD_COLS 2
#define UNITVEC_KERNELS kEncoderAvx512
#include "kernels/encoder_kernels.inc"
#endif
