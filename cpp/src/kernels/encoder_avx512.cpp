#if defined(__x86_64__) || defined(UNITVEC_EMULATED)
// The encoder's kernels for avx512; the build compiles this file with that instruction set, and
// the tests once more with its instructions emulated, under another name.
#include "kernels/tiles_avx512.inc"
#ifndef UNITVEC_KERNELS
#define UNITVEC_KERNELS kEncoderAvx512
#endif
#include "kernels/encoder_kernels.inc"
#endif
