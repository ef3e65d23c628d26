#include "unitvec/search/index.hpp"

#include <pybind11/stl/filesystem.h>

#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <tuple>

#include "bindings.hpp"

namespace unitvec::bindings {
namespace {

// The index has a lock, and a search that holds it may ask for the GIL (below): whoever waits for
// the lock must therefore have released the GIL, in every function of this file.

std::span<const Id> as_ids(const IdArray& ids) {
    return as_span(ids, "ids");
}

std::optional<std::span<const Id>> as_ids(const std::optional<IdArray>& ids) {
    if (!ids) return std::nullopt;
    return as_ids(*ids);
}

Index make_index(std::size_t dim, const std::string& kind, const std::string& metric, std::size_t M,
                 std::size_t ef_construction, std::size_t ef_search,
                 std::size_t automatic_threshold, std::size_t max_memory, std::size_t nlist,
                 std::size_t nprobe, std::size_t pq_m, const std::string& dtype) {
    const Metric by = parse_metric(metric);
    return {dim, IndexOptions{parse_index_kind(kind), by, M, ef_construction, ef_search,
                              automatic_threshold, max_memory, nlist, nprobe, pq_m,
                              parse_vector_type(dtype)}};
}

void train(Index& index, const FloatArray& vectors, std::size_t threads) {
    const auto in = as_matrix(vectors, "vectors");
    const py::gil_scoped_release nogil;
    index.train(in, {threads, python_wants_to_stop});
}

template <typename Array>
py::array_t<Id> add(Index& index, const Array& vectors, const std::optional<IdArray>& ids,
                    std::size_t threads) {
    const auto in = as_matrix(vectors, "vectors");
    const auto chosen = as_ids(ids);
    std::vector<Id> added;
    {
        const py::gil_scoped_release nogil;
        added = index.add(in, chosen, {threads, python_wants_to_stop});
    }
    return to_numpy(std::move(added));
}

void remove(Index& index, const IdArray& ids, bool clear_dead, std::size_t threads) {
    const auto removed = as_ids(ids);
    const py::gil_scoped_release nogil;
    index.remove(removed, {clear_dead, threads, python_wants_to_stop});
}

/// Ids that may be found, and where they are not all, a mark for each.
struct Allowed {
    std::optional<IdArray> ids;
    std::optional<py::array_t<bool, py::array::c_style>> marks;
};

std::optional<std::span<const bool>> as_marks(const Allowed& allowed) {
    if (!allowed.marks) return std::nullopt;
    return as_span(*allowed.marks, "marks");
}

/// None, ids, or a pair of ids and marks.
Allowed as_allowed(const py::object& given) {
    if (given.is_none()) return {};
    if (!py::isinstance<py::tuple>(given)) return {given.cast<IdArray>(), std::nullopt};
    const auto pair = given.cast<py::tuple>();
    return {pair[0].cast<IdArray>(), pair[1].cast<py::array_t<bool, py::array::c_style>>()};
}

/// None, or (least, k, slack).
using EarlyEndTuple = std::optional<std::tuple<std::size_t, std::size_t, double>>;

SearchOptions search_options(std::size_t k, const Allowed& allowed, std::size_t ef_search,
                             std::size_t nprobe, double min_recall, bool exact, std::size_t threads,
                             const EarlyEndTuple& early_end = std::nullopt) {
    SearchOptions options{k,       as_ids(allowed.ids),  ef_search,
                          nprobe,  min_recall,           exact,
                          threads, python_wants_to_stop, as_marks(allowed)};
    if (early_end) {
        const auto& [least, near, slack] = *early_end;
        options.early_end = EarlyEnd{least, near, slack};
    }
    return options;
}

template <typename Array>
py::tuple search(const Index& index, const Array& queries, std::size_t k,
                 const py::object& allowed_ids, std::size_t ef_search, std::size_t nprobe,
                 double min_recall, bool exact, std::size_t threads,
                 const EarlyEndTuple& early_end) {
    const auto in = as_matrix(queries, "queries");
    const auto allowed = as_allowed(allowed_ids);
    const auto options =
        search_options(k, allowed, ef_search, nprobe, min_recall, exact, threads, early_end);
    SearchResult found;
    {
        const py::gil_scoped_release nogil;
        found = index.search(in, options);
    }
    const auto shape = std::vector{in.rows, k};
    return py::make_tuple(to_numpy(std::move(found.scores)),
                          to_numpy(std::move(found.ids)).reshape(shape), found.exact,
                          found.recall_estimate);
}

/// (effort, recall, standard error, microseconds a query) of each point.
template <typename Array>
std::vector<std::tuple<std::size_t, double, double, double>> tune(Index& index,
                                                                  const Array& queries,
                                                                  std::size_t k,
                                                                  std::size_t threads) {
    const auto in = as_matrix(queries, "queries");
    const py::gil_scoped_release nogil;
    std::vector<std::tuple<std::size_t, double, double, double>> points;
    for (const auto& p : index.tune(in, search_options(k, Allowed{}, 0, 0, 0.0, false, threads))) {
        points.emplace_back(p.effort, p.recall, p.standard_error, p.microseconds);
    }
    return points;
}

template <typename Array>
py::tuple range_search(const Index& index, const Array& queries, float min_score,
                       const py::object& allowed_ids, std::size_t threads) {
    const auto in = as_matrix(queries, "queries");
    const auto allowed = as_allowed(allowed_ids);
    const auto options = search_options(1, allowed, 0, 0, 0.0, true, threads);
    RangeResult found;
    {
        const py::gil_scoped_release nogil;
        found = index.range_search(in, min_score, options);
    }
    std::vector<Id> offsets(found.offsets.begin(), found.offsets.end());
    return py::make_tuple(to_numpy(std::move(offsets)), to_numpy(std::move(found.scores)),
                          to_numpy(std::move(found.ids)));
}

py::array_t<float> reconstruct(const Index& index, const IdArray& ids) {
    const auto wanted = as_ids(ids);
    Matrix vectors;
    {
        const py::gil_scoped_release nogil;
        vectors = index.reconstruct(wanted);
    }
    return to_numpy(std::move(vectors));
}

py::array_t<std::uint8_t> reconstruct_bits(const Index& index, const IdArray& ids) {
    const auto wanted = as_ids(ids);
    std::vector<std::uint8_t> bits;
    {
        const py::gil_scoped_release nogil;
        bits = index.reconstruct_bits(wanted);
    }
    return to_numpy(std::move(bits)).reshape(std::vector{wanted.size(), index.dim() / 8});
}

py::array_t<Id> live_ids(const Index& index) {
    std::vector<Id> ids;
    {
        const py::gil_scoped_release nogil;
        ids = index.ids();
    }
    return to_numpy(std::move(ids));
}

IndexStats take_stats(const Index& index) {
    const py::gil_scoped_release nogil;
    return index.stats();
}

py::dict stats(const Index& index) {
    const auto now = take_stats(index);
    const auto& options = index.options();
    py::dict d;
    d["kind"] = name(now.kind);
    d["requested_kind"] = name(options.kind);
    d["metric"] = name(options.metric);
    d["dtype"] = name(now.dtype);
    d["dim"] = now.dim;
    d["live"] = now.live;
    d["dead"] = now.dead;
    d["bytes"] = now.bytes;
    d["vector_bytes"] = now.vector_bytes;
    d["code_bytes"] = now.code_bytes;
    d["mapped_bytes"] = now.mapped_bytes;
    d["calibrated_rows"] = now.calibrated_rows;
    d["M"] = options.M;
    d["ef_construction"] = options.ef_construction;
    d["ef_search"] = options.ef_search;
    d["nprobe"] = options.nprobe;
    d["lists"] = now.lists;
    d["imbalance"] = now.imbalance;
    d["pq_m"] = options.pq_m;
    d["automatic_threshold"] = options.automatic_threshold;
    d["max_memory"] = options.max_memory;
    d["faiss_version"] = faiss_version();
    return d;
}

Index from_faiss(const std::filesystem::path& path, const std::optional<std::string>& kind,
                 const std::optional<std::string>& metric, std::size_t threads) {
    FaissImport options;
    if (kind) options.kind = parse_index_kind(*kind);
    if (metric) options.metric = parse_metric(*metric);
    options.add = {threads, python_wants_to_stop};
    const py::gil_scoped_release nogil;
    return Index::from_faiss(path, options);
}

/// A failed write becomes OSError, or the sub-class of its errno (PermissionError ...).
void translate_system_error(std::exception_ptr p) {
    try {
        if (p) std::rethrow_exception(p);
    } catch (const std::system_error& e) {
        const auto type = py::reinterpret_borrow<py::object>(PyExc_OSError);
        const py::object error = type(e.code().value(), e.what());
        PyErr_SetObject(py::type::of(error).ptr(), error.ptr());
    }
}

}  // namespace

void register_index(py::module_& m) {
    const IndexOptions defaults;
    py::register_exception_translator(&translate_system_error);
    using ReleaseGil = py::call_guard<py::gil_scoped_release>;
    py::class_<Index>(m, "Index", "The C++ index; unitvec.Index prepares its arguments.")
        .def(py::init(&make_index), py::arg("dim"), py::arg("kind"), py::arg("metric"),
             py::arg("M") = defaults.M, py::arg("ef_construction") = defaults.ef_construction,
             py::arg("ef_search") = defaults.ef_search,
             py::arg("automatic_threshold") = defaults.automatic_threshold,
             py::arg("max_memory") = defaults.max_memory, py::arg("nlist") = defaults.nlist,
             py::arg("nprobe") = defaults.nprobe, py::arg("pq_m") = defaults.pq_m,
             py::arg("dtype") = std::string(name(defaults.dtype)))
        .def("train", &train, py::arg("vectors"), py::arg("threads"))
        .def("add", &add<ByteArray>, py::arg("vectors").noconvert(), py::arg("ids"),
             py::arg("threads"))
        .def("add", &add<FloatArray>, py::arg("vectors"), py::arg("ids"), py::arg("threads"))
        .def("reserve", &Index::reserve, py::arg("n"), py::call_guard<py::gil_scoped_release>())
        .def("remove", &remove, py::arg("ids"), py::arg("clear_dead"), py::arg("threads"))
        .def("search", &search<ByteArray>, py::arg("queries").noconvert(), py::arg("k"),
             py::arg("allowed_ids"), py::arg("ef_search"), py::arg("nprobe"), py::arg("min_recall"),
             py::arg("exact"), py::arg("threads"), py::arg("early_end") = py::none())
        .def("search", &search<FloatArray>, py::arg("queries"), py::arg("k"),
             py::arg("allowed_ids"), py::arg("ef_search"), py::arg("nprobe"), py::arg("min_recall"),
             py::arg("exact"), py::arg("threads"), py::arg("early_end") = py::none())
        .def("range_search", &range_search<ByteArray>, py::arg("queries").noconvert(),
             py::arg("min_score"), py::arg("allowed_ids"), py::arg("threads"))
        .def("range_search", &range_search<FloatArray>, py::arg("queries"), py::arg("min_score"),
             py::arg("allowed_ids"), py::arg("threads"))
        .def("tune", &tune<ByteArray>, py::arg("queries").noconvert(), py::arg("k"),
             py::arg("threads"))
        .def("tune", &tune<FloatArray>, py::arg("queries"), py::arg("k"), py::arg("threads"))
        .def("reconstruct", &reconstruct, py::arg("ids"))
        .def("reconstruct_bits", &reconstruct_bits, py::arg("ids"))
        .def("contains", &Index::contains, py::arg("id"), ReleaseGil())
        .def("ids", &live_ids)
        .def("__len__", &Index::size, ReleaseGil())
        .def_property_readonly("dim", &Index::dim)
        .def("stats", &stats)
        .def("save", &Index::save, py::arg("path"), ReleaseGil())
        .def("to_faiss", &Index::to_faiss, py::arg("path"), ReleaseGil())
        .def_static("from_faiss", &from_faiss, py::arg("path"), py::arg("kind"), py::arg("metric"),
                    py::arg("threads"))
        .def_static("load", &Index::load, py::arg("path"), py::arg("mapped"), ReleaseGil());
    m.def("faiss_version", &faiss_version);
}

}  // namespace unitvec::bindings
