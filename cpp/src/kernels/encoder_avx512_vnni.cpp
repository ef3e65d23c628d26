#if defined(__x86_64__) || defined(UNITVEC_EMULATED)
// The encoder's kernels for avx512_vnni; the build compiles this file with that instruction set,
// and the tests once more with its instructions emulated, under another name.
#define UNITVEC_LANES 16
#define UNITVEC_VNNI
#define UNITVEC_TILE_ROWS 12
#define UNITVEC_TILE_COLS 2
#define UNITVEC_INT8_ROWS 8
#define UNITVEC_INT8_COLS 2
#define UNITVEC_HEAD_ROWS 12
#define UNITVEC_HEAD_COLS 2
#ifndef UNITVEC_KERNELS
#define UNITVEC_KERNELS kEncoderAvx512Vnni
#endif
#include "kernels/encoder_kernels.inc"
#endif
