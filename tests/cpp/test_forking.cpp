// Loops in forked children. A file of its own, because ThreadSanitizer does not know threads that
// are started behind a fork.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "unitvec/parallel.hpp"

using namespace unitvec;

namespace {

constexpr unsigned kPatience = 60;  // seconds, after which a child that hangs is killed

/// Runs `work` in a child of its own; the child's exit status, or minus the signal that ended it.
template <typename Work>
int status_of_child(const Work& work) {
    const pid_t child = fork();
    if (child == 0) {
        alarm(kPatience);
        _exit(work());
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// Two tasks that need a thread each, then many; 0 if all ran.
int loops_with_help() {
    std::latch both(2);
    parallel_for(2, 2, [&](std::size_t, std::size_t) { both.arrive_and_wait(); });
    std::atomic<int> tasks = 0;
    parallel_for(1000, 4, [&](std::size_t, std::size_t) { ++tasks; });
    return tasks == 1000 ? 0 : 1;
}

}  // namespace

TEST_CASE("a forked child has threads of its own, and so has its child", "[forking]") {
    REQUIRE(loops_with_help() == 0);
    CHECK(openmp_threads(4) == 4);
    const auto grandchild = [] { return loops_with_help() + (openmp_threads(4) == 1 ? 0 : 2); };
    CHECK(status_of_child([&] { return loops_with_help() + status_of_child(grandchild); }) == 0);
    CHECK(loops_with_help() == 0);
}

TEST_CASE("children forked while other threads are within loops", "[forking]") {
    std::atomic<bool> stop = false;
    const auto keep_looping = [&] {
        std::atomic<std::size_t> sum = 0;
        while (!stop) parallel_for(50, 3, [&](std::size_t task, std::size_t) { sum += task; });
    };
    std::jthread one(keep_looping), two(keep_looping);
    int failed = 0;
    for (int fork = 0; fork < 200; ++fork) failed += status_of_child(loops_with_help) != 0;
    stop = true;
    CHECK(failed == 0);
}

TEST_CASE("a child that a task forks is told that its loop cannot end", "[forking]") {
    std::atomic<pid_t> child = -1;
    std::latch both(2);
    const auto body = [&](std::size_t, std::size_t worker) {
        both.arrive_and_wait();  // so that another thread has begun a task, too
        if (worker != 0) return;
        child = fork();
        if (child == 0) alarm(kPatience);
    };
    try {
        parallel_for(2, 2, body);
    } catch (const std::runtime_error& error) {
        const bool told = std::string(error.what()).find("forked") != std::string::npos;
        const bool goes_on = loops_with_help() == 0;
        _exit(told && goes_on ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}
