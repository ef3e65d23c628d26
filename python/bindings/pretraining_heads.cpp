#include "unitvec/model/pretraining_heads.hpp"

#include "bindings.hpp"

namespace unitvec::bindings {

void register_pretraining_heads(py::module_& m) {
    py::class_<MaskedWordHead>(m, "MaskedWordHead", "The layers that guess masked words.")
        .def_static(
            "load", [](const std::string& directory) { return MaskedWordHead::load(directory); },
            py::arg("directory"), py::call_guard<py::gil_scoped_release>())
        .def_property_readonly("dim", &MaskedWordHead::dim, "Length of a token's vector.")
        .def_property_readonly("vocab_size", &MaskedWordHead::vocab_size)
        .def(
            "__call__",
            [](const MaskedWordHead& self, const FloatArray& tokens, std::size_t threads) {
                return without_gil(tokens, "tokens", [&](MatrixView<const float> matrix) {
                    return self(matrix, threads);
                });
            },
            py::arg("tokens"), py::arg("threads") = 0,
            "Logits (n, vocab_size) of token vectors (n, dim).");
    py::class_<NextSentenceHead>(m, "NextSentenceHead",
                                 "The layer that tells a next sentence from another one.")
        .def_static(
            "load", [](const std::string& directory) { return NextSentenceHead::load(directory); },
            py::arg("directory"), py::call_guard<py::gil_scoped_release>())
        .def_property_readonly("dim", &NextSentenceHead::dim, "Length of the pooler's output.")
        .def(
            "__call__",
            [](const NextSentenceHead& self, const FloatArray& pooled, std::size_t threads) {
                return without_gil(pooled, "pooled", [&](MatrixView<const float> matrix) {
                    return self(matrix, threads);
                });
            },
            py::arg("pooled"), py::arg("threads") = 0,
            "Logits (n, 2) of the pooler's output (n, dim); class 0 means \"is next\".");
}

}  // namespace unitvec::bindings
