#pragma once
/// The number of OpenMP threads for one call, set for the calling thread alone.
#include <ATen/Parallel.h>
#include <omp.h>

#include <cstddef>

#include "unitvec/parallel.hpp"

namespace unitvec {

/// While it lives, libtorch, oneDNN and our own loops use `threads` threads when called from this
/// thread; other threads and encoders are not touched (OpenMP keeps this setting per thread, unlike
/// at::set_num_threads, which would change the whole process).
class ThreadScope {
public:
    explicit ThreadScope(std::size_t threads) {
        at::get_num_threads();  // libtorch sets its own default at a thread's first use; let that
                                // happen first
        before_ = omp_get_max_threads();
        omp_set_num_threads(static_cast<int>(openmp_threads(threads)));
    }
    ~ThreadScope() { omp_set_num_threads(before_); }
    ThreadScope(const ThreadScope&) = delete;
    ThreadScope& operator=(const ThreadScope&) = delete;

private:
    int before_;
};

}  // namespace unitvec
