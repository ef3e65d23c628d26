// Catch2 2.13 without its ready-made main library asks one source to hold it.
#ifdef UNITVEC_CATCH2_NEEDS_MAIN
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
