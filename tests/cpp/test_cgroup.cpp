#include <fstream>

#include "cgroup.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"

using namespace unitvec;

namespace {

/// A control-group file system, as far as quotas go.
struct Groups {
    TemporaryFolder directory;

    void write(const std::string& name, const std::string& content) const {
        const auto path = directory.path() / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << content;
    }
    [[nodiscard]] std::optional<std::size_t> quota() const {
        return quota_processors(directory.path() / "self", directory.path() / "mount");
    }
};

}  // namespace

TEST_CASE("a quota of version 2 counts processors, rounded up", "[cgroup]") {
    const Groups groups;
    groups.write("self", "0::/service/worker\n");
    CHECK_FALSE(groups.quota());
    groups.write("mount/service/worker/cpu.max", "max 100000\n");
    CHECK_FALSE(groups.quota());
    groups.write("mount/service/worker/cpu.max", "350000 100000\n");
    CHECK(groups.quota() == 4);
    groups.write("mount/service/worker/cpu.max", "1000 100000\n");
    CHECK(groups.quota() == 1);
}

TEST_CASE("the least quota of a group and those around it holds", "[cgroup]") {
    const Groups groups;
    groups.write("self", "0::/service/worker\n");
    groups.write("mount/service/worker/cpu.max", "800000 100000\n");
    groups.write("mount/service/cpu.max", "200000 100000\n");
    CHECK(groups.quota() == 2);
    groups.write("mount/cpu.max", "100000 100000\n");
    CHECK(groups.quota() == 1);
}

TEST_CASE("a quota of version 1 is read from its controller's mount", "[cgroup]") {
    const Groups groups;
    const std::string mount = GENERATE("mount/cpu,cpuacct/", "mount/cpu/");
    groups.write("self",
                 "12:memory:/host/path\n4:cpu,cpuacct:/host/path\n1:name=systemd:/\n0::/\n");
    groups.write(mount + "cpu.cfs_quota_us", "-1\n");
    groups.write(mount + "cpu.cfs_period_us", "100000\n");
    CHECK_FALSE(groups.quota());
    groups.write(mount + "cpu.cfs_quota_us", "150000\n");
    CHECK(groups.quota() == 2);
}

TEST_CASE("a machine without control groups has no quota", "[cgroup]") {
    const Groups groups;
    CHECK_FALSE(groups.quota());
    groups.write("self", "nonsense\n0:\n\n0::/gone\n");
    CHECK_FALSE(groups.quota());
}

TEST_CASE("the least limit of memory holds", "[cgroup]") {
    const Groups groups;
    const auto limit = [&] {
        return memory_limit(groups.directory.path() / "self", groups.directory.path() / "mount");
    };
    groups.write("self", "5:memory:/job\n0::/service/worker\n");
    CHECK_FALSE(limit());
    groups.write("mount/service/worker/memory.max", "max\n");
    groups.write("mount/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
    CHECK_FALSE(limit());
    groups.write("mount/service/memory.max", "3000000000\n");
    CHECK(limit() == 3'000'000'000);
    groups.write("mount/memory/job/memory.limit_in_bytes", "2000000000\n");
    CHECK(limit() == 2'000'000'000);
    CHECK(usable_memory() > 0);
}
