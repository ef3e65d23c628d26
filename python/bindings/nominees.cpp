#include "unitvec/search/nominees.hpp"

#include <span>
#include <string>

#include "bindings.hpp"
#include "unitvec/search/coding_error.hpp"
#include "unitvec/search/index.hpp"
#include "unitvec/search/stored_scores.hpp"

namespace unitvec::bindings {
namespace {

using Scores = py::array_t<float, py::array::c_style>;
using Ids = py::array_t<Id, py::array::c_style>;

/// Row i of a matrix.
template <typename T, int Flags>
std::span<const T> row_of(const py::array_t<T, Flags>& array, const std::string& name,
                          std::size_t i) {
    const auto matrix = as_matrix(array, name);
    if (i >= matrix.rows) throw std::invalid_argument(name + " have no row " + std::to_string(i));
    return matrix.row(i);
}

void add(Nominees& nominees, const Ids& ids, const Scores& scores, std::size_t query,
         double error) {
    nominees.add(row_of(ids, "ids", query), row_of(scores, "scores", query), error);
}

py::array_t<float> scores_of(const std::string& metric, const FloatArray& query,
                             const FloatArray& rows) {
    const auto matrix = as_matrix(rows, "rows");
    py::array_t<float> out(static_cast<py::ssize_t>(matrix.rows));
    stored_scores(parse_metric(metric), as_span(query, "query"), matrix,
                  {out.mutable_data(), matrix.rows});
    return out;
}

py::tuple nearest(const std::string& metric, const FloatArray& query, const Ids& keys,
                  const FloatArray& rows, const Ids& wanted, std::size_t k) {
    const auto found =
        nearest_stored(parse_metric(metric), as_span(query, "query"), as_span(keys, "keys"),
                       as_matrix(rows, "rows"), as_span(wanted, "wanted"), k);
    py::list ids(found.size()), scores(found.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        ids[i] = found[i].key;
        scores[i] = found[i].score;
    }
    return py::make_tuple(std::move(ids), std::move(scores));
}

py::tuple error_of(const std::string& metric, const FloatArray& vectors, const FloatArray& codes) {
    const auto rows = as_matrix(vectors, "vectors");
    const auto decoded = as_matrix(codes, "codes");
    CodingError error;
    {
        const py::gil_scoped_release nogil;
        error = coding_error(parse_metric(metric), rows, decoded);
    }
    return py::make_tuple(error.distance, error.length);
}

}  // namespace

void register_nominees(py::module_& m) {
    py::class_<Nominees>(m, "Nominees", "The best rows by code of one query.")
        .def(py::init<>())
        .def("add", &add, py::arg("ids"), py::arg("scores"), py::arg("query"), py::arg("error"),
             "Row `query` of what a search found, whose scores can be off by `error`.")
        .def("__len__", &Nominees::size)
        .def_property_readonly("missed", &Nominees::missed,
                               "No row that is not among these scores more.")
        .def(
            "likely",
            [](const Nominees& self, std::size_t k, double slack) {
                return to_numpy(self.likely(k, slack));
            },
            py::arg("k"), py::arg("slack"),
            "Ids at most `slack` errors behind the k-th, ascending.")
        .def(
            "possible",
            [](const Nominees& self, double score) { return to_numpy(self.possible(score)); },
            py::arg("score"), "Ids whose score may be at least so much, ascending.");
    m.def("coding_error", &error_of, py::arg("metric"), py::arg("vectors"), py::arg("codes"),
          "The largest distance between a vector and its code, and the largest length.");
    m.def("stored_scores", &scores_of, py::arg("metric"), py::arg("query"), py::arg("rows"),
          "Scores of a query, shape (dim,), and rows, shape (n, dim), summed in double.");
    m.def("nearest_stored", &nearest, py::arg("metric"), py::arg("query"), py::arg("keys"),
          py::arg("rows"), py::arg("wanted"), py::arg("k"),
          "Keys and scores of the k nearest of the wanted rows, best first.");
}

}  // namespace unitvec::bindings
