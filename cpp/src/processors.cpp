#include "processors.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <thread>

#include "cgroup.hpp"

namespace unitvec {
namespace {

std::size_t processors_of_thread() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
    }
#endif
    return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

std::size_t usable_processors() {
    const std::size_t processors = processors_of_thread();
    // Once: a group's files are read, which takes longer than a short query.
    static const auto quota = quota_processors();
    return std::min(processors, quota.value_or(processors));
}

}  // namespace unitvec
