#pragma once
/// What is thrown, and the checks that throw it.
///
/// Arguments: `std::invalid_argument` (ValueError in Python) or `std::out_of_range` (IndexError),
/// with a text "[function] expected ..., got ...". Files: `FormatError`.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "unitvec/types.hpp"

namespace unitvec {

/// A damaged, truncated, hostile or unknown file: says which file, where, and what was expected.
class FormatError : public std::runtime_error {
public:
    /// @param file    the path as the user gave it
    /// @param where   a byte offset ("byte 8"), a line ("line 3") or a field ("model.vocab"); may
    /// be empty
    /// @param what    "expected ..., got ..."
    FormatError(const std::string& file, const std::string& where, const std::string& what);

    [[nodiscard]] const std::string& file() const { return file_; }
    [[nodiscard]] const std::string& where() const { return where_; }

private:
    std::string file_;
    std::string where_;
};

/// Work was given up because the caller asked for it (Ctrl-C); nothing was kept.
class Interrupted : public std::runtime_error {
public:
    Interrupted() : std::runtime_error("interrupted") {}
};

/// @throws std::invalid_argument "[function] expected <expected>, got <got>"
[[noreturn]] void throw_invalid(std::string_view function, std::string_view expected,
                                std::string_view got);

/// @throws std::invalid_argument unless both matrices have the same rows and columns
void require_same_shape(std::string_view function, MatrixView<const float> a,
                        MatrixView<const float> b);

/// @throws std::invalid_argument unless `got == expected`; `name` says what has the dimension
void require_dim(std::string_view function, std::string_view name, std::size_t expected,
                 std::size_t got);

/// @throws std::invalid_argument naming the first row that holds a NaN or an infinity
void require_finite(std::string_view function, std::string_view name, MatrixView<const float> m);

}  // namespace unitvec
