#include "cgroup.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

namespace unitvec {
namespace {

using Path = std::filesystem::path;
using Quota = std::optional<double>;  // in processors

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

/// The quota behind one line of /proc/self/cgroup: "number:controllers:path", with number 0 and no
/// controllers in version 2.
Quota quota_of_line(const std::string& line, const Path& mount) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) return std::nullopt;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const Path group = line.substr(second + 1);
    if (controllers.empty()) return least_upwards(mount, group, quota_of_version2);
    if (("," + controllers + ",").find(",cpu,") == std::string::npos) return std::nullopt;
    return least(least_upwards(mount / controllers, group, quota_of_version1),
                 least_upwards(mount / "cpu", group, quota_of_version1));
}

}  // namespace

std::optional<std::size_t> quota_processors(const Path& groups, const Path& mount) {
    std::ifstream file(groups);
    Quota result;
    for (std::string line; std::getline(file, line);) {
        result = least(result, quota_of_line(line, mount));
    }
    if (!result) return std::nullopt;
    return static_cast<std::size_t>(std::max(1.0, std::ceil(*result)));
}

}  // namespace unitvec
