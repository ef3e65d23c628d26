#if defined(__x86_64__) || defined(UNITVEC_EMULATED)
// The encoder's kernels for avx512_bf16; the build compiles this file with that instruction set,
// and the tests once more with its instructions emulated, under another name.
#include "kernels/tiles_avx512.inc"
#define UNITVEC_VNNI
#define UNITVEC_BF16
#ifndef UNITVEC_KERNELS
#define UNITVEC_KERNELS kEncoderAvx512Bf16
#endif
#include "kernels/encoder_kernels.inc"
#endif
