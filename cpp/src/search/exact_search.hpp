#pragma once
/// Comparing queries with every eligible row.
#include <functional>
#include <span>
#include <vector>

#include "search/row_filter.hpp"
#include "search/top_k.hpp"
#include "search/vector_store.hpp"

namespace unitvec {

/// How a search is run, whatever it searches.
struct RunOptions {
    std::size_t threads = 0;                      ///< 0: default_threads()
    std::function<bool()> interrupted = nullptr;  ///< asked from the calling thread
    /// @throws Interrupted if the caller wants to stop
    void check() const;
};

using Neighbours = std::vector<std::vector<Neighbour>>;  // per query, best first

/// The k nearest eligible rows of each query, min(k, eligible) of them.
///
/// A batch goes through a matrix product, whose rounding depends on its shape. It only nominates
/// candidates: they are compared again by the kernel, and where the product's worst-case error
/// leaves any doubt that all of the k best were nominated, the query is scanned by the kernel. So
/// every result has the bits of a plain scan, whatever the batch, the threads and the BLAS.
[[nodiscard]] Neighbours exact_search(const VectorStore& store, MatrixView<const float> queries,
                                      std::size_t k, const RowFilter& filter,
                                      const RunOptions& run);

/// The k nearest of some candidates, whose own nearness may be approximate; best first.
[[nodiscard]] std::vector<Neighbour> nearest_of(const VectorStore& store, const float* query,
                                                std::size_t k,
                                                std::span<const Neighbour> candidates);

/// Every eligible row at least `min_nearness` near, best first.
[[nodiscard]] Neighbours exact_range_search(const VectorStore& store,
                                            MatrixView<const float> queries, float min_nearness,
                                            const RowFilter& filter, const RunOptions& run);

}  // namespace unitvec
