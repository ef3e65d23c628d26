#if defined(__x86_64__) || defined(UNITVEC_EMULATED)
// The encoder's kernels for avx2_vnni; the build compiles this file with that instruction set, and
// the tests once more with its instructions emulated, under another name.
#include "kernels/tiles_avx2.inc"
#define UNITVEC_VNNI
#ifndef UNITVEC_KERNELS
#define UNITVEC_KERNELS kEncoderAvx2Vnni
#endif
#include "kernels/encoder_kernels.inc"
#endif
