#if defined(__x86_64__) || defined(UNITVEC_EMULATED)
// The distance kernels for avx512; the build compiles this file with that instruction set.
#define UNITVEC_LANES 16
#define UNITVEC_DISTANCE_ROWS 4
#ifndef UNITVEC_KERNELS
#define UNITVEC_KERNELS kDistanceAvx512
#endif
#include "kernels/distance_kernels.inc"
#endif
