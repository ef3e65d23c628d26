#if defined(__x86_64__) || defined(UNITVEC_EMULATED)
// The encoder's kernels for avx2_vnni; the build compiles this file with that instruction set, and
// the tests once more with its instructions emulated, under another name.
#define UNITVEC_LANES 8
#define UNITVEC_VNNI
#define UNITVEC_TILE_ROWS 4
#define UNITVEC_TILE_COLS 3
#define UNITVEC_INT8_ROWS 4
#define UNITVEC_INT8_COLS 2
#define UNITVEC_HEAD_ROWS 6
#define UNITVEC_HEAD_COLS 2
#ifndef UNITVEC_KERNELS
#define UNITVEC_KERNELS kEncoderAvx2Vnni
#endif
#include "kernels/encoder_kernels.inc"
#endif
