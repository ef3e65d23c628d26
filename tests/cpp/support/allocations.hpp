#pragma once
/// Counts what the test program allocates, and makes it fail.
#include <cstddef>

/// Calls of operator new so far, on all threads.
[[nodiscard]] std::size_t allocations();

/// While this lives, the n-th call of operator new from now, on any thread, throws std::bad_alloc,
/// and no other.
class FailingAllocation {
public:
    /// @param n  from 1 on
    explicit FailingAllocation(std::size_t n);
    ~FailingAllocation();
    FailingAllocation(const FailingAllocation&) = delete;
    FailingAllocation& operator=(const FailingAllocation&) = delete;
};
