#pragma once
/// Text files that are read line by line.
#include <filesystem>
#include <string>
#include <vector>

namespace unitvec {

/// The lines of a file, without their ends ("\n" or "\r\n"). @throws FormatError unless it is UTF-8
[[nodiscard]] std::vector<std::string> read_lines(const std::filesystem::path& path);

}  // namespace unitvec
