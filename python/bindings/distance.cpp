#include "unitvec/search/distance.hpp"

#include "bindings.hpp"
#include "unitvec/normalize.hpp"

namespace unitvec::bindings {
namespace {

using Compare = void (*)(MatrixView<const float>, MatrixView<const float>, MatrixView<float>);

/// A function of Python that compares every row of `a` with every row of `b`.
auto pairwise(Compare compare) {
    return [compare](const FloatArray& a, const FloatArray& b) {
        const auto rows = as_matrix(a, "a");
        const auto columns = as_matrix(b, "b");
        Matrix out(rows.rows, columns.rows);
        {
            const py::gil_scoped_release nogil;
            compare(rows, columns, out.view());
        }
        return to_numpy(std::move(out));
    };
}

py::array_t<float> normalize(const FloatArray& vectors) {
    const auto in = as_matrix(vectors, "vectors");
    Matrix out(in.rows, in.cols);
    {
        const py::gil_scoped_release nogil;
        l2_normalize(in, out.view());
    }
    return to_numpy(std::move(out));
}

}  // namespace

void register_distance(py::module_& m) {
    m.def("dot", pairwise(&dot), py::arg("a"), py::arg("b"));
    m.def("cosine", pairwise(&cosine), py::arg("a"), py::arg("b"));
    m.def("euclidean", pairwise(&euclidean), py::arg("a"), py::arg("b"));
    m.def("manhattan", pairwise(&manhattan), py::arg("a"), py::arg("b"));
    m.def("angle", pairwise(&angle), py::arg("a"), py::arg("b"));
    m.def("l2_normalize", &normalize, py::arg("vectors"));
}

}  // namespace unitvec::bindings
