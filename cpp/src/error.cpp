#include "unitvec/error.hpp"

#include <algorithm>
#include <cmath>

namespace unitvec {
namespace {

std::string compose(const std::string& file, const std::string& where, const std::string& what) {
    return where.empty() ? file + ": " + what : file + ": " + where + ": " + what;
}

std::string shape(MatrixView<const float> m) {
    return "(" + std::to_string(m.rows) + ", " + std::to_string(m.cols) + ")";
}

}  // namespace

FormatError::FormatError(const std::string& file, const std::string& where, const std::string& what)
    : std::runtime_error(compose(file, where, what)), file_(file), where_(where) {}

void throw_invalid(std::string_view function, std::string_view expected, std::string_view got) {
    std::string text = "[";
    text.append(function).append("] expected ").append(expected).append(", got ").append(got);
    throw std::invalid_argument(text);
}

void require_same_shape(std::string_view function, MatrixView<const float> a,
                        MatrixView<const float> b) {
    if (a.rows != b.rows || a.cols != b.cols) {
        throw_invalid(function, "two matrices of one shape", shape(a) + " and " + shape(b));
    }
}

void require_dim(std::string_view function, std::string_view name, std::size_t expected,
                 std::size_t got) {
    if (expected != got) {
        throw_invalid(function, std::string(name) + " of dimension " + std::to_string(expected),
                      std::to_string(got));
    }
}

void require_finite(std::string_view function, std::string_view name, MatrixView<const float> m) {
    for (std::size_t i = 0; i < m.rows; ++i) {
        const auto row = m.row(i);
        const auto bad = std::ranges::find_if_not(row, [](float x) { return std::isfinite(x); });
        if (bad != row.end()) {
            throw_invalid(function, "finite " + std::string(name),
                          std::to_string(*bad) + " in row " + std::to_string(i) + ", column " +
                              std::to_string(bad - row.begin()));
        }
    }
}

}  // namespace unitvec
