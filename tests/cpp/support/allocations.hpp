#pragma once
/// Counts what the test program allocates.
#include <cstddef>

/// Calls of operator new so far, on all threads.
[[nodiscard]] std::size_t allocations();
