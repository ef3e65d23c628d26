#pragma once
/// Work on rows one by one, shared between threads.
#include <algorithm>
#include <cstddef>

#include "unitvec/parallel.hpp"

namespace unitvec {

/// Calls body(row, worker) for every row in [0, rows), as parallel_for() does, in turns of rows
/// that take some 10 us when one costs a read and a write: few stay on the caller's own thread.
template <typename Body>
void each_row(std::size_t rows, std::size_t threads, const Body& body) {
    constexpr std::size_t kAtOnce = 32;
    parallel_for((rows + kAtOnce - 1) / kAtOnce, threads,
                 [&](std::size_t turn, std::size_t worker) {
                     const std::size_t last = std::min(rows, (turn + 1) * kAtOnce);
                     for (std::size_t r = turn * kAtOnce; r < last; ++r) body(r, worker);
                 });
}

}  // namespace unitvec
