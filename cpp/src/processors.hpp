#pragma once
/// The processors that this process may use.
#include <cstddef>

namespace unitvec {

/// Those in the calling thread's affinity mask, but no more than its control group's quota of time
/// is worth; at least 1.
[[nodiscard]] std::size_t usable_processors();

}  // namespace unitvec
