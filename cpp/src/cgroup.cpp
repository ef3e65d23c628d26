#include "cgroup.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>

namespace unitvec {
namespace {

using Path = std::filesystem::path;
using Quota = std::optional<double>;  // in processors, or in bytes

/// What a kind of limit is read by, in the two versions of control groups.
struct Limit {
    const char* controller;
    Quota (*version2)(const Path& group);
    Quota (*version1)(const Path& group);
};

Quota quota_of(double quota, double period) {
    return quota > 0.0 && period > 0.0 ? Quota(quota / period) : std::nullopt;
}

/// "50000 100000", or "max 100000" for none.
Quota quota_of_version2(const Path& group) {
    std::ifstream file(group / "cpu.max");
    double quota = 0.0, period = 0.0;
    return file >> quota >> period ? quota_of(quota, period) : std::nullopt;
}

/// -1 for none.
Quota quota_of_version1(const Path& group) {
    std::ifstream quota_file(group / "cpu.cfs_quota_us"), period_file(group / "cpu.cfs_period_us");
    double quota = 0.0, period = 0.0;
    return quota_file >> quota && period_file >> period ? quota_of(quota, period) : std::nullopt;
}

Quota least(Quota a, Quota b) {
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
}

/// The least quota of a group and those around it. Within a container the group's path may be the
/// host's, of which only the mount itself is seen.
template <typename Read>
Quota least_upwards(const Path& mount, Path group, const Read& read) {
    Quota result;
    for (;;) {
        result = least(result, read(mount / group.relative_path()));
        if (!group.has_relative_path()) return result;
        group = group.parent_path();
    }
}

/// The limit behind one line of /proc/self/cgroup: "number:controllers:path", with number 0 and no
/// controllers in version 2.
Quota limit_of_line(const Limit& limit, const std::string& line, const Path& mount) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) return std::nullopt;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const Path group = line.substr(second + 1);
    if (controllers.empty()) return least_upwards(mount, group, limit.version2);
    const std::string wanted = limit.controller;
    if (("," + controllers + ",").find("," + wanted + ",") == std::string::npos) return {};
    return least(least_upwards(mount / controllers, group, limit.version1),
                 least_upwards(mount / wanted, group, limit.version1));
}

Quota least_limit(const Limit& limit, const Path& groups, const Path& mount) {
    std::ifstream file(groups);
    Quota result;
    for (std::string line; std::getline(file, line);) {
        result = least(result, limit_of_line(limit, line, mount));
    }
    return result;
}

/// A number, or "max" for none.
Quota bytes_of(const Path& path) {
    std::ifstream file(path);
    double bytes = 0.0;
    return file >> bytes ? Quota(bytes) : std::nullopt;
}

constexpr Limit kProcessors{"cpu", quota_of_version2, quota_of_version1};
constexpr Limit kMemory{
    "memory", [](const Path& group) { return bytes_of(group / "memory.max"); },
    [](const Path& group) { return bytes_of(group / "memory.limit_in_bytes"); }};

}  // namespace

std::optional<std::size_t> quota_processors(const Path& groups, const Path& mount) {
    const Quota result = least_limit(kProcessors, groups, mount);
    if (!result) return std::nullopt;
    return static_cast<std::size_t>(std::max(1.0, std::ceil(*result)));
}

std::optional<std::size_t> memory_limit(const Path& groups, const Path& mount) {
    const Quota result = least_limit(kMemory, groups, mount);
    // Version 1 writes "none" as a number near 2^63.
    if (!result || *result > 0x1p62) return std::nullopt;
    return static_cast<std::size_t>(*result);
}

std::size_t usable_memory() {
    const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
    std::size_t bytes = std::numeric_limits<std::size_t>::max();
    if (pages > 0 && page > 0) {
        bytes = static_cast<std::size_t>(pages) * static_cast<std::size_t>(page);
    }
    return std::min(bytes, memory_limit().value_or(bytes));
}

}  // namespace unitvec
