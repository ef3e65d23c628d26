#include <atomic>
#include <numeric>
#include <stdexcept>
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

TEST_CASE("default_threads is at least one", "[parallel]") {
    CHECK(default_threads() >= 1);
}
