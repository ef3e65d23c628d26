#pragma once
/// Spreads independent work over threads of the standard library; no OpenMP, so that text and
/// tests need none.
#include <cstddef>
#include <functional>

namespace unitvec {

/// Processors that this process may use: its affinity mask (so `taskset` and container CPU sets are
/// honoured), and OMP_NUM_THREADS where that is set to a number. At least 1.
[[nodiscard]] std::size_t default_threads();

/// Threads that a loop of OpenMP may use, here or in a library: `threads` (0: default_threads()),
/// but 1 in a process that was forked. OpenMP's threads did not survive the fork, and GNU's
/// implementation would wait for them for ever.
[[nodiscard]] std::size_t openmp_threads(std::size_t threads);

/// Calls body(begin, end) on ranges that together cover [0, n), each at most `grain` long, from
/// `threads` threads (0: default_threads()). Ranges are handed out as threads become free. The
/// first exception stops the hand-out and is rethrown here after every thread has ended.
void parallel_for(std::size_t n, std::size_t grain, std::size_t threads,
                  const std::function<void(std::size_t, std::size_t)>& body);

}  // namespace unitvec
