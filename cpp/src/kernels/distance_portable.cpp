// The distance kernels for any processor: vectors of 4 floats.
#define UNITVEC_LANES 4
#define UNITVEC_DISTANCE_ROWS 2
#define UNITVEC_KERNELS kDistancePortable
#include "kernels/distance_kernels.inc"
