#pragma once
/// The process's own threads, which help any number of callers with their loops.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "parallel_job.hpp"

namespace unitvec {

/// Everything in it is an atomic or is guarded by one: no lock can be held by a thread that a fork
/// leaves behind, and nothing is destroyed at exit while a thread still looks at it. Threads are
/// started when a loop wants more than there are idle, and never end.
class ThreadPool {
public:
    /// parallel_for(count, threads, body) with count >= 1 and threads >= 1.
    void run(std::size_t count, std::size_t threads, const void* body, LoopTask task);

    /// For the child of a fork, which has none of the threads: begins anew.
    void forget_threads();

    /// How many forks lie between the process that loaded this library and this one.
    [[nodiscard]] std::uint32_t forks() const { return forks_.load(std::memory_order_relaxed); }

private:
    /// A job that no loop uses, or nullptr where as many loops run as there are jobs.
    ParallelJob* take_job();
    void give_back(const ParallelJob* job);
    [[nodiscard]] std::uint64_t bit_of(const ParallelJob* job) const {
        return std::uint64_t{1} << (job - jobs_.data());
    }

    void offer(const ParallelJob* job, std::size_t helpers);
    void wait_for(ParallelJob* job);
    void start_threads(std::size_t count, std::size_t helpers);

    void work();
    bool help_somebody();
    bool hears_soon(std::uint32_t signal) const;
    void sleep(std::uint32_t signal);
    [[nodiscard]] bool may_spin() const;

    std::array<ParallelJob, 64> jobs_;
    alignas(64) std::atomic<std::uint64_t> used_ = 0;     // bit i: jobs_[i] serves a loop
    alignas(64) std::atomic<std::uint64_t> offered_ = 0;  // bit i: and helpers may look at it
    alignas(64) std::atomic<std::uint32_t> signal_ = 0;   // changes with every offer
    alignas(64) std::atomic<std::uint32_t> callers_ = 0;  // threads within run()
    std::atomic<std::uint32_t> threads_ = 0;              // of our own: idle, asleep or at work
    std::atomic<std::uint32_t> idle_ = 0;                 // awake and looking for work
    std::atomic<std::uint32_t> asleep_ = 0;
    std::atomic<std::uint32_t> processors_ = 1;
    std::atomic<std::uint32_t> forks_ = 0;
};

/// The one of this process.
extern ThreadPool thread_pool;

}  // namespace unitvec
