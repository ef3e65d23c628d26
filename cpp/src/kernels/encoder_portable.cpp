// The encoder's kernels for any processor: vectors of 4 floats.
#define UNITVEC_LANES 4
#define UNITVEC_TILE_ROWS 4
#define UNITVEC_TILE_COLS 3
#define UNITVEC_INT8_ROWS 2
#define UNITVEC_INT8_COLS 2
#define UNITVEC_HEAD_ROWS 6
#define UNITVEC_HEAD_COLS 2
#define UNITVEC_KERNELS kEncoderPortable
#include "kernels/encoder_kernels.inc"
