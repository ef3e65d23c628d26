#include "unitvec/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>

#include "processors.hpp"
#include "thread_pool.hpp"

namespace unitvec {

std::size_t default_threads() {
    const char* omp = std::getenv("OMP_NUM_THREADS");
    const long asked = omp == nullptr ? 0 : std::strtol(omp, nullptr, 10);
    return asked > 0 ? static_cast<std::size_t>(asked) : usable_processors();
}

std::size_t threads_or_default(std::size_t threads) {
    return threads == 0 ? default_threads() : threads;
}

std::size_t openmp_threads(std::size_t threads) {
    return thread_pool.forks() > 0 ? 1 : threads_or_default(threads);
}

void run_tasks(std::size_t count, std::size_t threads, const void* body, LoopTask run) {
    if (count > 0) thread_pool.run(count, threads_or_default(threads), body, run);
}

void parallel_for(std::size_t n, std::size_t grain, std::size_t threads,
                  const std::function<void(std::size_t, std::size_t)>& body) {
    grain = std::max<std::size_t>(grain, 1);
    std::atomic<bool> failed = false;
    std::exception_ptr error;
    parallel_for((n + grain - 1) / grain, threads, [&](std::size_t range, std::size_t) {
        if (failed.load(std::memory_order_relaxed)) return;
        try {
            body(range * grain, std::min((range + 1) * grain, n));
        } catch (...) {
            if (!failed.exchange(true)) error = std::current_exception();
        }
    });
    if (error) std::rethrow_exception(error);
}

}  // namespace unitvec
