#include "thread_pool.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include <algorithm>
#include <bit>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <thread>

#include "processors.hpp"

namespace unitvec {
namespace {

// How long an idle thread looks for the next loop before it sleeps. The loops of a forward pass
// follow each other within this time; waking a thread from its sleep takes about as long.
constexpr std::chrono::microseconds kSpin{40};

// The pool grows to a thread for every processor but the caller's, however many loops there are;
// beyond that to what one loop asks for, up to this.
constexpr std::size_t kMostAsked = 64;

// Set while this thread runs tasks.
thread_local bool within_task = false;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// Whether `happened` turned true within kSpin.
template <typename Condition>
bool spin_until(const Condition& happened) {
    constexpr int kLooksAtAClock = 16;
    const auto end = std::chrono::steady_clock::now() + kSpin;
    do {
        for (int look = 0; look < kLooksAtAClock; ++look) {
            if (happened()) return true;
            pause();
        }
    } while (std::chrono::steady_clock::now() < end);
    return happened();
}

}  // namespace

constinit ThreadPool thread_pool;

#if defined(__unix__) || defined(__APPLE__)
// Once, when the library is loaded.
[[maybe_unused]] static const int watch_forks =
    pthread_atfork(nullptr, nullptr, [] { thread_pool.forget_threads(); });
#endif

void ThreadPool::run(std::size_t count, std::size_t threads, const void* body, LoopTask task) {
    threads = std::min({threads, count, ParallelJob::kMostThreads});
    ParallelJob* job = threads == 1 || within_task ? nullptr : take_job();
    if (job == nullptr) {
        for (std::size_t i = 0; i < count; ++i) task(body, i, 0);
        return;
    }
    const std::uint32_t forks = this->forks();
    callers_.fetch_add(1, std::memory_order_relaxed);
    job->open(count, threads, body, task);
    offer(job, threads - 1);
    within_task = true;
    if (const auto share = job->begin()) job->work(*share);
    within_task = false;
    if (forks != this->forks()) {
        throw std::runtime_error(
            "[parallel_for] expected the process that began the loop, got a child that one of its "
            "tasks forked: leave such a child with os._exit, or fork outside of a callback");
    }
    offered_.fetch_and(~bit_of(job), std::memory_order_relaxed);
    wait_for(job);
    give_back(job);
    callers_.fetch_sub(1, std::memory_order_relaxed);
}

void ThreadPool::forget_threads() {
    for (auto& job : jobs_) job.abandon();
    for (auto* counter : {&callers_, &threads_, &idle_, &asleep_}) counter->store(0);
    offered_.store(0);
    used_.store(0);
    forks_.fetch_add(1);
}

ParallelJob* ThreadPool::take_job() {
    auto used = used_.load(std::memory_order_relaxed);
    std::uint64_t mine = 0;
    do {
        mine = ~used & (used + 1);  // the lowest bit that is not set
        if (mine == 0) return nullptr;
    } while (!used_.compare_exchange_weak(used, used | mine, std::memory_order_acquire,
                                          std::memory_order_relaxed));
    return &jobs_[static_cast<std::size_t>(std::countr_zero(mine))];
}

void ThreadPool::give_back(const ParallelJob* job) {
    used_.fetch_and(~bit_of(job), std::memory_order_release);
}

// An idle thread counts itself as asleep before it looks at the signal for the last time; here the
// signal changes before the counts are read. So either it sees the change or it is woken. A thread
// that is changing sides is counted on both rather than on neither, lest too many be started.
void ThreadPool::offer(const ParallelJob* job, std::size_t helpers) {
    offered_.fetch_or(bit_of(job));
    signal_.fetch_add(1);
    const std::size_t idle = idle_.load();
    const std::size_t asleep = asleep_.load();
    for (std::size_t n = idle; n < std::min(helpers, idle + asleep); ++n) signal_.notify_one();
    if (helpers > idle + asleep) start_threads(helpers - idle - asleep, helpers);
}

void ThreadPool::wait_for(ParallelJob* job) {
    if (job->finished()) return;
    if (may_spin() && spin_until([&] { return job->finished(); })) return;
    job->wait();
}

void ThreadPool::start_threads(std::size_t count, std::size_t helpers) {
    if (threads_.load() == 0) processors_ = static_cast<std::uint32_t>(usable_processors());
    const std::size_t most = std::max<std::size_t>(processors_ - 1, std::min(helpers, kMostAsked));
    for (; count > 0; --count) {
        if (threads_.fetch_add(1) >= most) {
            threads_.fetch_sub(1);
            return;
        }
        idle_.fetch_add(1);
        try {
            std::thread([this] { work(); }).detach();
        } catch (const std::exception&) {  // the system gives no more: callers do the work
            threads_.fetch_sub(1);
            idle_.fetch_sub(1);
            return;
        }
    }
}

void ThreadPool::work() {
    within_task = true;
    for (;;) {
        const std::uint32_t signal = signal_.load();
        if (help_somebody() || hears_soon(signal)) continue;
        sleep(signal);
    }
}

bool ThreadPool::help_somebody() {
    for (auto offered = offered_.load(); offered != 0; offered &= offered - 1) {
        auto& job = jobs_[static_cast<std::size_t>(std::countr_zero(offered))];
        const auto share = job.join();
        if (!share) continue;
        idle_.fetch_sub(1);
        job.work(*share);
        idle_.fetch_add(1);
        return true;
    }
    return false;
}

bool ThreadPool::hears_soon(std::uint32_t signal) const {
    return may_spin() && spin_until([&] { return signal_.load() != signal; });
}

void ThreadPool::sleep(std::uint32_t signal) {
    asleep_.fetch_add(1);
    idle_.fetch_sub(1);
    signal_.wait(signal);
    idle_.fetch_add(1);
    asleep_.fetch_sub(1);
}

/// Whether nobody who has work waits for the processor that a spinning thread holds: as far as this
/// process can tell.
bool ThreadPool::may_spin() const {
    const auto awake = callers_.load(std::memory_order_relaxed) +
                       threads_.load(std::memory_order_relaxed) -
                       asleep_.load(std::memory_order_relaxed);
    return awake <= processors_.load(std::memory_order_relaxed);
}

}  // namespace unitvec
