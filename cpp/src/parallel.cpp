#include "unitvec/parallel.hpp"

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace unitvec {
namespace {

std::size_t usable_processors() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
    }
#endif
    return std::max(1U, std::thread::hardware_concurrency());
}

std::atomic<bool> forked = false;

#if defined(__unix__) || defined(__APPLE__)
// Once, when the library is loaded: a child of a fork then knows that it is one.
[[maybe_unused]] const int watch_forks =
    pthread_atfork(nullptr, nullptr, [] { forked.store(true, std::memory_order_relaxed); });
#endif

/// Hands out ranges and keeps the first exception; shared by all threads of one parallel_for.
class Work {
public:
    Work(std::size_t n, std::size_t grain,
         const std::function<void(std::size_t, std::size_t)>& body)
        : n_(n), grain_(grain), body_(body) {}

    void run() noexcept {
        try {
            for (;;) {
                const std::size_t begin = next_.fetch_add(grain_);
                if (begin >= n_) return;
                body_(begin, std::min(begin + grain_, n_));
            }
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!error_) error_ = std::current_exception();
            next_ = n_;
        }
    }

    void rethrow() const {
        if (error_) std::rethrow_exception(error_);
    }

private:
    std::size_t n_;
    std::size_t grain_;
    const std::function<void(std::size_t, std::size_t)>& body_;
    std::atomic<std::size_t> next_ = 0;
    std::mutex mutex_;
    std::exception_ptr error_;
};

}  // namespace

std::size_t default_threads() {
    const char* omp = std::getenv("OMP_NUM_THREADS");
    const long asked = omp == nullptr ? 0 : std::strtol(omp, nullptr, 10);
    return asked > 0 ? static_cast<std::size_t>(asked) : usable_processors();
}

std::size_t openmp_threads(std::size_t threads) {
    if (forked.load(std::memory_order_relaxed)) return 1;
    return threads == 0 ? default_threads() : threads;
}

void parallel_for(std::size_t n, std::size_t grain, std::size_t threads,
                  const std::function<void(std::size_t, std::size_t)>& body) {
    grain = std::max<std::size_t>(grain, 1);
    const std::size_t ranges = (n + grain - 1) / grain;
    threads = std::min(threads == 0 ? default_threads() : threads, ranges);
    Work work(n, grain, body);
    {
        std::vector<std::jthread> others;  // joined at the end of this block
        for (std::size_t t = 1; t < threads; ++t) others.emplace_back([&work] { work.run(); });
        work.run();
    }
    work.rethrow();
}

}  // namespace unitvec
