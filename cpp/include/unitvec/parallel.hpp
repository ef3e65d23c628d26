#pragma once
/// Spreads independent work over the process's own pool of threads; no OpenMP, whose threads spin
/// between two loops and are gone after a fork.
#include <cstddef>
#include <functional>

namespace unitvec {

/// OMP_NUM_THREADS where that is a number; else the processors that this process may use: those of
/// its affinity mask (so `taskset` and container CPU sets are honoured), and no more than its
/// control group's quota (`docker --cpus`) is worth. At least 1.
[[nodiscard]] std::size_t default_threads();

/// `threads`, or default_threads() for 0.
[[nodiscard]] std::size_t threads_or_default(std::size_t threads);

/// Threads that a library's loop of OpenMP may use: `threads` (0: default_threads()), but 1 in a
/// process that was forked. OpenMP's threads did not survive the fork, and GNU's implementation
/// would wait for them for ever.
[[nodiscard]] std::size_t openmp_threads(std::size_t threads);

/// One task of a loop, called with what the loop was given as `body`.
using LoopTask = void (*)(const void* body, std::size_t task, std::size_t worker);

/// parallel_for() below, for a body without its type.
void run_tasks(std::size_t count, std::size_t threads, const void* body, LoopTask run);

/// Calls body(task, worker) once for every task in [0, count), from this thread and from as many
/// others, up to `threads` (0: default_threads()) in all, as come to help while tasks are left to
/// begin: the caller waits for tasks that were begun, never for a thread. Tasks begin in ascending
/// order. `worker` is a number in [0, threads) that no other thread has in this loop, for scratch
/// memory. A loop within a task runs on the task's thread alone.
///
/// The body must not throw. Handing out a task costs some 100 ns; waking a sleeping thread costs
/// the caller about 5 us, so a loop of less than some 10 us is better given one thread.
///
/// Safe from many threads, and after a fork.
/// @throws std::runtime_error in a child that a task forked, whose other tasks' threads are gone
template <typename Body>
void parallel_for(std::size_t count, std::size_t threads, const Body& body) {
    run_tasks(count, threads, &body,
              [](const void* self, std::size_t task, std::size_t worker) noexcept {
                  (*static_cast<const Body*>(self))(task, worker);
              });
}

/// Calls body(begin, end) on ranges that together cover [0, n), each at most `grain` long, from
/// `threads` threads (0: default_threads()). Ranges are handed out as threads become free. The
/// first exception stops the hand-out and is rethrown here after every begun range has ended.
void parallel_for(std::size_t n, std::size_t grain, std::size_t threads,
                  const std::function<void(std::size_t, std::size_t)>& body);

}  // namespace unitvec
