#include "unitvec/search/kmeans.hpp"

#include "bindings.hpp"

namespace unitvec::bindings {
namespace {

py::tuple kmeans_of(const FloatArray& vectors, std::size_t k, std::size_t iterations,
                    bool spherical, std::uint64_t seed, std::size_t threads) {
    const auto in = as_matrix(vectors, "vectors");
    KMeansResult result;
    {
        const py::gil_scoped_release nogil;
        result = kmeans(in, {k, iterations, spherical, /*plus_plus=*/true, seed, threads,
                             python_wants_to_stop});
    }
    return py::make_tuple(to_numpy(std::move(result.centroids)), to_numpy(std::move(result.labels)),
                          result.objective, result.iterations);
}

}  // namespace

void register_kmeans(py::module_& m) {
    m.def("kmeans", &kmeans_of, py::arg("vectors"), py::arg("k"), py::arg("iterations"),
          py::arg("spherical"), py::arg("seed"), py::arg("threads"));
}

}  // namespace unitvec::bindings
