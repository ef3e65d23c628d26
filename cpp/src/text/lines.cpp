#include "lines.hpp"

#include <algorithm>

#include "file.hpp"
#include "unitvec/error.hpp"
#include "unitvec/text/unicode.hpp"

namespace unitvec {

std::vector<std::string> read_lines(const std::filesystem::path& path) {
    const auto text = read_file(path);
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        auto line = std::string_view(text).substr(begin, end - begin);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!unicode::is_valid(line)) {
            throw FormatError(path.string(), "line " + std::to_string(lines.size() + 1),
                              "expected UTF-8, got other bytes");
        }
        lines.emplace_back(line);
        begin = end + 1;
    }
    return lines;
}

}  // namespace unitvec
