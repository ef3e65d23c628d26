#include "kernels/distance.hpp"

#include <algorithm>

#include "unitvec/error.hpp"

namespace unitvec::kernels {

const DistanceKernels& distance_kernels(Isa isa) {
    const auto available = available_isas();
    if (std::ranges::find(available, isa) == available.end()) {
        throw_invalid("distance_kernels", "an instruction set of this processor", name(isa));
    }
#if defined(__x86_64__)
    // Sums of floats gain nothing from VNNI and BF16.
    if (isa >= Isa::avx512) return kDistanceAvx512;
    if (isa >= Isa::avx2) return kDistanceAvx2;
#endif
    return kDistancePortable;
}

}  // namespace unitvec::kernels
