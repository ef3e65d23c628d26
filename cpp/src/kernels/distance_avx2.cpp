#if defined(__x86_64__)
// The distance kernels for avx2; the build compiles this file with that instruction set.
#define UNITVEC_LANES 8
#define UNITVEC_DISTANCE_ROWS 2
#define UNITVEC_KERNELS kDistanceAvx2
#include "kernels/distance_kernels.inc"
#endif
