#if defined(__x86_64__)
// The encoder's kernels for avx2; the build compiles this file with that instruction set.
#include "kernels/tiles_avx2.inc"
#define UNITVEC_KERNELS kEncoderAvx2
#include "kernels/encoder_kernels.inc"
#endif
