#include "unitvec/cpu.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "support/catch.hpp"

using namespace unitvec;

namespace {

/// What the Linux kernel found, a set of names; empty elsewhere.
std::set<std::string> cpuinfo_flags() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("flags")) continue;
        std::istringstream words(line.substr(line.find(':') + 1));
        return {std::istream_iterator<std::string>(words), {}};
    }
    return {};
}

}  // namespace

TEST_CASE("instruction sets come slowest first and begin with the portable one", "[cpu]") {
    const auto isas = available_isas();
    REQUIRE_FALSE(isas.empty());
    CHECK(isas.front() == Isa::portable);
    CHECK(std::ranges::is_sorted(isas));
    CHECK(std::ranges::find(isas, active_isa()) != isas.end());
}

#if defined(__x86_64__) && !defined(UNITVEC_EMULATED_ISAS)
TEST_CASE("instruction sets are those that the operating system reports", "[cpu]") {
    const auto flags = cpuinfo_flags();
    if (flags.empty()) {
        WARN("skipped: /proc/cpuinfo lists no flags here");
        return;
    }
    std::vector<Isa> expected{Isa::portable};
    const auto add = [&](Isa isa, const std::set<std::string>& needed) {
        if (std::ranges::includes(flags, needed)) expected.push_back(isa);
    };
    const std::set<std::string> avx512{"avx512f", "avx512bw", "avx512dq", "avx512vl"};
    add(Isa::avx2, {"avx2", "fma"});
#if defined(UNITVEC_AVX2_VNNI)
    add(Isa::avx2_vnni, {"avx2", "fma", "avx_vnni"});
#endif
    add(Isa::avx512, avx512);
    auto needed = avx512;
    needed.insert("avx512_vnni");
#if defined(UNITVEC_AVX512_VNNI)
    add(Isa::avx512_vnni, needed);
#endif
    needed.insert("avx512_bf16");
#if defined(UNITVEC_AVX512_BF16)
    add(Isa::avx512_bf16, needed);
#endif
    CHECK(available_isas() == expected);
}
#endif
