#pragma once
/// The distance kernels of the instruction set in use.
#include "kernels/distance_table.hpp"
#include "unitvec/cpu.hpp"

namespace unitvec::kernels {

/// @throws std::invalid_argument if this processor cannot run `isa`
[[nodiscard]] const DistanceKernels& distance_kernels(Isa isa = active_isa());

}  // namespace unitvec::kernels
