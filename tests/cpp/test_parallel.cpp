// Assertions are made on the test's own thread: Catch2's are not for others.
#include <atomic>
#include <chrono>
#include <ctime>
#include <latch>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "unitvec/parallel.hpp"

using namespace unitvec;

TEST_CASE("parallel_for visits every index once, whatever the grain and threads", "[parallel]") {
    const std::size_t n =
        GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{1000});
    const std::size_t threads = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{4});
    const std::size_t grain = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{64});
    std::vector<std::atomic<int>> visits(n);
    parallel_for(n, grain, threads, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) ++visits[i];
    });
    for (const auto& count : visits) CHECK(count == 1);
}

TEST_CASE("parallel_for rethrows the first exception after every thread has ended", "[parallel]") {
    std::atomic<int> running = 0;
    const auto body = [&](std::size_t begin, std::size_t) {
        ++running;
        const bool bad = begin == 3;
        --running;
        if (bad) throw std::runtime_error("range 3");
    };
    CHECK_THROWS_WITH(parallel_for(100, 1, 4, body), "range 3");
    CHECK(running == 0);
}

TEST_CASE("parallel_for begins no range after an exception", "[parallel]") {
    std::size_t calls = 0;
    const auto body = [&](std::size_t begin, std::size_t) {
        ++calls;
        if (begin == 3) throw std::runtime_error("range 3");
    };
    CHECK_THROWS_WITH(parallel_for(100, 1, 1, body), "range 3");
    CHECK(calls == 4);
}

TEST_CASE("every task of a loop runs once", "[parallel]") {
    // The last count is above the pieces that the pool can count, so that a piece has more tasks.
    const std::size_t count = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{2},
                                       std::size_t{7}, std::size_t{1000}, std::size_t{1'100'000});
    const std::size_t threads = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{2},
                                         std::size_t{9}, std::size_t{100'000});
    INFO(count << " tasks, " << threads << " threads");
    std::vector<std::atomic<unsigned char>> runs(count);
    std::atomic<std::size_t> too_large = 0;
    parallel_for(count, threads, [&](std::size_t task, std::size_t worker) {
        ++runs[task];
        if (worker >= threads_or_default(threads)) ++too_large;
    });
    std::size_t not_once = 0;
    for (const auto& times : runs) not_once += times != 1;
    CHECK(not_once == 0);
    CHECK(too_large == 0);
}

TEST_CASE("one thread runs the tasks in order, on the caller's thread", "[parallel]") {
    std::vector<std::size_t> order;
    const auto caller = std::this_thread::get_id();
    std::size_t elsewhere = 0;
    parallel_for(20, 1, [&](std::size_t task, std::size_t worker) {
        order.push_back(task);
        elsewhere += worker != 0 || std::this_thread::get_id() != caller;
    });
    std::vector<std::size_t> ascending(20);
    std::iota(ascending.begin(), ascending.end(), 0U);
    CHECK(order == ascending);
    CHECK(elsewhere == 0);
}

TEST_CASE("no two threads in a loop have the same number", "[parallel]") {
    constexpr std::size_t kThreads = 5;
    std::vector<std::atomic<bool>> busy(kThreads);
    std::vector<std::atomic<std::size_t>> scratch(kThreads);  // only its owner changes it
    std::atomic<std::size_t> clashes = 0;
    constexpr std::size_t kTasks = 500;
    for (int loop = 0; loop < 100; ++loop) {
        parallel_for(kTasks, kThreads, [&](std::size_t, std::size_t worker) {
            if (busy[worker].exchange(true)) ++clashes;
            scratch[worker].store(scratch[worker].load() + 1);
            busy[worker].store(false);
        });
    }
    CHECK(clashes == 0);
    CHECK(std::accumulate(scratch.begin(), scratch.end(), std::size_t{0}) == 100 * kTasks);
}

TEST_CASE("what a loop wrote is seen behind it, without atomics", "[parallel]") {
    std::vector<std::size_t> values(300);
    for (std::size_t loop = 1; loop <= 2000; ++loop) {
        parallel_for(values.size(), 3,
                     [&](std::size_t task, std::size_t) { values[task] += task; });
        if (values.back() != loop * 299) FAIL("loop " << loop << ": " << values.back());
    }
    CHECK(std::accumulate(values.begin(), values.end(), std::size_t{0}) == 2000 * 299 * 300 / 2);
}

TEST_CASE("two tasks that wait for each other get two threads", "[parallel]") {
    for (int loop = 0; loop < 50; ++loop) {
        std::latch both(2);
        parallel_for(2, 2, [&](std::size_t, std::size_t) { both.arrive_and_wait(); });
    }
    SUCCEED("no loop waits for ever");
}

TEST_CASE("a caller does not wait for threads that are busy elsewhere", "[parallel]") {
    std::latch begun(1), done(1);
    std::jthread other([&] {
        parallel_for(4, 4, [&](std::size_t task, std::size_t) {
            if (task == 0) begun.count_down();
            done.wait();
        });
    });
    begun.wait();
    std::atomic<std::size_t> tasks = 0;
    for (int loop = 0; loop < 100; ++loop) {
        parallel_for(10, 4, [&](std::size_t, std::size_t) { ++tasks; });
    }
    CHECK(tasks == 1000);
    done.count_down();
}

TEST_CASE("loops of many threads at once, each with its own bound", "[parallel]") {
    std::atomic<std::size_t> wrong = 0;
    const auto caller = [&](std::size_t number) {
        const std::size_t threads = 1 + number % 5;
        for (std::size_t loop = 0; loop < 300; ++loop) {
            const std::size_t count = 1 + (number * 31 + loop) % 40;
            std::vector<std::size_t> results(count);
            std::atomic<std::size_t> too_large = 0;
            parallel_for(count, threads, [&](std::size_t task, std::size_t worker) {
                results[task] = task + number;
                if (worker >= threads) ++too_large;
            });
            for (std::size_t task = 0; task < count; ++task)
                wrong += results[task] != task + number;
            wrong += too_large;
        }
    };
    {
        std::vector<std::jthread> callers;
        for (std::size_t number = 0; number < 16; ++number) callers.emplace_back(caller, number);
    }
    CHECK(wrong == 0);
}

TEST_CASE("more loops at once than the pool has jobs", "[parallel]") {
    constexpr std::size_t kLoops = 100;
    std::latch all(kLoops);
    std::atomic<std::size_t> tasks = 0;
    {
        std::vector<std::jthread> callers;
        for (std::size_t loop = 0; loop < kLoops; ++loop) {
            callers.emplace_back([&] {
                parallel_for(3, 2, [&](std::size_t task, std::size_t) {
                    if (task == 0) all.arrive_and_wait();
                    ++tasks;
                });
            });
        }
    }
    CHECK(tasks == 3 * kLoops);
}

TEST_CASE("a loop within a task runs on the task's thread", "[parallel]") {
    std::atomic<std::size_t> elsewhere = 0, inner = 0;
    parallel_for(50, 4, [&](std::size_t, std::size_t) {
        const auto thread = std::this_thread::get_id();
        parallel_for(10, 4, [&](std::size_t, std::size_t worker) {
            ++inner;
            elsewhere += worker != 0 || std::this_thread::get_id() != thread;
        });
    });
    CHECK(inner == 500);
    CHECK(elsewhere == 0);
}

TEST_CASE("an idle pool uses no processor time", "[parallel]") {
    using namespace std::chrono_literals;
    std::latch all(4);
    parallel_for(4, 4, [&](std::size_t, std::size_t) { all.arrive_and_wait(); });
    std::this_thread::sleep_for(300ms);  // past any spinning, and that of OpenMP in other tests
    const std::clock_t before = std::clock();
    std::this_thread::sleep_for(1s);
    CHECK(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC < 0.2);
}

TEST_CASE("default_threads is at least one", "[parallel]") {
    CHECK(default_threads() >= 1);
    CHECK(threads_or_default(0) == default_threads());
    CHECK(threads_or_default(7) == 7);
}
