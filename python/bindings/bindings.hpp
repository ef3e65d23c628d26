#pragma once
/// What all binding files share: NumPy arrays as matrix views, and the list of parts.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "unitvec/error.hpp"
#include "unitvec/types.hpp"

namespace py = pybind11;

namespace unitvec::bindings {

/// A C-contiguous float32 array; other dtypes are converted by NumPy before the call.
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;
using IdArray = py::array_t<Id, py::array::c_style | py::array::forcecast>;

/// A C-contiguous uint8 array; others are refused where an argument says noconvert().
using ByteArray = py::array_t<std::uint8_t, py::array::c_style>;

/// @throws std::invalid_argument unless the array is 2-D
template <typename T, int Flags>
MatrixView<const T> as_matrix(const py::array_t<T, Flags>& array, const std::string& name) {
    if (array.ndim() != 2) {
        throw std::invalid_argument(name + " must be 2-D, got " + std::to_string(array.ndim()) +
                                    "-D");
    }
    return {array.data(), static_cast<std::size_t>(array.shape(0)),
            static_cast<std::size_t>(array.shape(1))};
}

/// @throws std::invalid_argument unless the array is 1-D
template <typename T, int Flags>
std::span<const T> as_span(const py::array_t<T, Flags>& array, const std::string& name) {
    if (array.ndim() != 1) {
        throw std::invalid_argument(name + " must be 1-D, got " + std::to_string(array.ndim()) +
                                    "-D");
    }
    return {array.data(), static_cast<std::size_t>(array.size())};
}

/// A new array that takes over the matrix's memory: nothing is copied.
inline py::array_t<float> to_numpy(Matrix&& matrix) {
    auto owner = std::make_unique<Matrix>(std::move(matrix));
    float* data = owner->data();
    const std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(owner->rows()),
                                         static_cast<py::ssize_t>(owner->cols())};
    const py::capsule free(owner.release(), [](void* p) { delete static_cast<Matrix*>(p); });
    return py::array_t<float>(shape, data, free);
}

/// work(x), which gives a matrix too, with the GIL released.
template <typename Work>
py::array_t<float> without_gil(const FloatArray& x, const char* name, Work work) {
    const auto matrix = as_matrix(x, name);
    Matrix out;
    {
        const py::gil_scoped_release nogil;
        out = work(matrix);
    }
    return to_numpy(std::move(out));
}

/// A new 1-D array that takes over the vector's memory.
template <typename T, typename Allocator>
py::array_t<T> to_numpy(std::vector<T, Allocator>&& values) {
    using Vector = std::vector<T, Allocator>;
    auto owner = std::make_unique<Vector>(std::move(values));
    T* data = owner->data();
    const auto size = static_cast<py::ssize_t>(owner->size());
    const py::capsule free(owner.release(), [](void* p) { delete static_cast<Vector*>(p); });
    return py::array_t<T>(size, data, free);
}

/// Python's signal handlers run when asked here, in the main thread; a KeyboardInterrupt then stays
/// set until Interrupted has come back through the core.
inline bool python_wants_to_stop() {
    const py::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;
}

void register_distance(py::module_& m);
void register_encoder(py::module_& m);
void register_index(py::module_& m);
void register_kmeans(py::module_& m);
void register_nominees(py::module_& m);
void register_pretraining_heads(py::module_& m);
void register_step_times(py::module_& m);
void register_stored_rows(py::module_& m);
void register_tokenizer(py::module_& m);
void register_torchscript(py::module_& m);
void register_words(py::module_& m);

}  // namespace unitvec::bindings
