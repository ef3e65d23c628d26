#pragma once
/// How much processor time and memory the control group of this process may use (Linux).
#include <cstddef>
#include <filesystem>
#include <optional>

namespace unitvec {

/// Processors' worth of time that the group's quota, or that of a group around it, allows: rounded
/// up, at least 1; nothing where there is no quota. Reads `cpu.max` of version 2, and
/// `cpu.cfs_quota_us` with `cpu.cfs_period_us` of version 1.
/// @param groups  the groups that a process is in: /proc/self/cgroup
/// @param mount   where groups are mounted: /sys/fs/cgroup
[[nodiscard]] std::optional<std::size_t> quota_processors(
    const std::filesystem::path& groups = "/proc/self/cgroup",
    const std::filesystem::path& mount = "/sys/fs/cgroup");

/// Bytes of memory that the group, or a group around it, may use; nothing where there is no limit.
/// Reads `memory.max` of version 2 and `memory.limit_in_bytes` of version 1.
[[nodiscard]] std::optional<std::size_t> memory_limit(
    const std::filesystem::path& groups = "/proc/self/cgroup",
    const std::filesystem::path& mount = "/sys/fs/cgroup");

/// Bytes of memory that this process may use: the machine's, and no more than memory_limit().
[[nodiscard]] std::size_t usable_memory();

}  // namespace unitvec
