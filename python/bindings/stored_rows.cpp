// Rows as SQLite gives them, checked by the dozen: what Python needs 30 us for, in two. Whatever is
// not plainly right is left to Python, which says what is wrong.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "bindings.hpp"
#include "unitvec/crc32.hpp"

namespace unitvec::bindings {
namespace {

/// Characters of a text that is checked here: of a larger one, its UTF-8 would be a large copy.
constexpr py::ssize_t kMostCharacters = py::ssize_t{1} << 16;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// Numbers as 8 bytes each, the lowest first.
template <std::size_t N>
std::array<std::byte, 8 * N> packed(const std::array<std::int64_t, N>& numbers) {
    std::array<std::byte, 8 * N> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto number = static_cast<std::uint64_t>(numbers[i / 8]);
        bytes[i] = static_cast<std::byte>(number >> (8 * (i % 8)));
    }
    return bytes;
}

/// A column of a row; nullptr where there are fewer.
PyObject* column(const py::handle& row, py::ssize_t i) {
    if (!PyTuple_CheckExact(row.ptr()) || PyTuple_GET_SIZE(row.ptr()) <= i) return nullptr;
    return PyTuple_GET_ITEM(row.ptr(), i);
}

std::optional<std::int64_t> number(PyObject* object) {
    if (object == nullptr || !PyLong_CheckExact(object)) return std::nullopt;
    int overflow = 0;
    const long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow != 0) return std::nullopt;
    return value;
}

/// A Python text as UTF-8, without a copy that the text would keep.
class Utf8 {
public:
    explicit Utf8(PyObject* text) {
        if (text == nullptr || !PyUnicode_CheckExact(text)) return;
        if (PyUnicode_GET_LENGTH(text) > kMostCharacters) return;
        if (PyUnicode_IS_COMPACT_ASCII(text)) {
            bytes_ = {static_cast<const char*>(PyUnicode_DATA(text)),
                      static_cast<std::size_t>(PyUnicode_GET_LENGTH(text))};
            is_text_ = true;
            return;
        }
        encoded_ = py::reinterpret_steal<py::object>(PyUnicode_AsUTF8String(text));
        if (!encoded_) {
            PyErr_Clear();  // half a character
            return;
        }
        bytes_ = {PyBytes_AS_STRING(encoded_.ptr()),
                  static_cast<std::size_t>(PyBytes_GET_SIZE(encoded_.ptr()))};
        is_text_ = true;
    }

    explicit operator bool() const { return is_text_; }
    [[nodiscard]] std::string_view bytes() const { return bytes_; }
    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(bytes_.size()); }

private:
    py::object encoded_;
    std::string_view bytes_;
    bool is_text_ = false;
};

bool is_sound(const py::handle& row) {
    const auto key = number(column(row, 0)), crc = number(column(row, 4));
    PyObject* const text = column(row, 2);
    const Utf8 id(column(row, 1)), document(text), metadata(column(row, 3));
    if (!key || !crc || !id || !metadata || !(document || text == Py_None)) return false;
    const std::int64_t length = document ? document.size() : -1;
    std::uint32_t found = crc32(packed<4>({*key, id.size(), length, metadata.size()}));
    for (const auto part : {id.bytes(), document.bytes(), metadata.bytes()}) {
        found = crc32(bytes_of(part), found);
    }
    return found == *crc;
}

bool are_sound(const py::list& rows) {
    return std::all_of(rows.begin(), rows.end(), [](py::handle row) { return is_sound(row); });
}

float square(std::span<const float> x) {
    constexpr std::size_t kLanes = 16;
    float lanes[kLanes] = {};
    std::size_t i = 0;
    for (; i + kLanes <= x.size(); i += kLanes) {
        for (std::size_t j = 0; j < kLanes; ++j) lanes[j] += x[i + j] * x[i + j];
    }
    float total = 0.0F;
    for (; i < x.size(); ++i) total += x[i] * x[i];
    for (const float lane : lanes) total += lane;
    return total;
}

/// Copies the vector of one row; false where it is not plainly right.
bool copy_vector(const py::handle& row, double least, double most, std::span<float> out) {
    const auto key = number(column(row, 0)), crc = number(column(row, 2));
    PyObject* const blob = column(row, 1);
    if (!key || !crc || blob == nullptr || !PyBytes_CheckExact(blob)) return false;
    const std::string_view vector(PyBytes_AS_STRING(blob),
                                  static_cast<std::size_t>(PyBytes_GET_SIZE(blob)));
    if (vector.size() != out.size_bytes()) return false;
    if (crc32(bytes_of(vector), crc32(packed<1>({*key}))) != *crc) return false;
    std::memcpy(out.data(), vector.data(), vector.size());
    const double squared = square(out);
    return least < squared && squared < most;  // NaN is neither
}

bool squares_between(const FloatArray& vectors, double least, double most) {
    const auto rows = as_matrix(vectors, "vectors");
    for (std::size_t i = 0; i < rows.rows; ++i) {
        const double squared = square(rows.row(i));
        if (!(least < squared && squared < most)) return false;
    }
    return true;
}

std::optional<py::tuple> stored_vectors(const py::list& rows, std::size_t dim, double least,
                                        double most) {
    if (std::endian::native != std::endian::little) return std::nullopt;  // as vectors are stored
    Matrix vectors(rows.size(), dim);
    py::list keys(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const py::handle row = PyList_GET_ITEM(rows.ptr(), static_cast<py::ssize_t>(i));
        if (!copy_vector(row, least, most, vectors.view().row(i))) return std::nullopt;
        keys[i] = py::reinterpret_borrow<py::object>(column(row, 0));
    }
    return py::make_tuple(std::move(keys), to_numpy(std::move(vectors)));
}

}  // namespace

void register_stored_rows(py::module_& m) {
    m.def("are_sound", &are_sound, py::arg("rows"),
          "Whether all of these rows, (key, id, document, metadata, crc), plainly are what their "
          "checksums say; False also where that takes longer to say.");
    m.def("squares_between", &squares_between, py::arg("vectors"), py::arg("least"),
          py::arg("most"),
          "Whether the squared length of every row, summed in float32, is between the two.");
    m.def("stored_vectors", &stored_vectors, py::arg("rows"), py::arg("dim"), py::arg("least"),
          py::arg("most"),
          "Keys and vectors, shape (n, dim), of rows (key, bytes, crc); None unless each has its "
          "checksum, its size and a squared length between least and most.");
}

}  // namespace unitvec::bindings
