#pragma once
/// Exact search of a batch of queries through matrix products.
#include "search/exact_search.hpp"

namespace unitvec {

/// See exact_search, which calls this. @param k  at most the number of eligible rows; not for
/// Metric::manhattan
[[nodiscard]] Neighbours product_search(const VectorStore& store, MatrixView<const float> queries,
                                        std::size_t k, const RowFilter& filter,
                                        const RunOptions& run);

/// The k nearest eligible rows of one query, by the kernel and in the calling thread.
[[nodiscard]] std::vector<Neighbour> scan_one(const VectorStore& store, const float* query,
                                              std::size_t k, const RowFilter& filter);

}  // namespace unitvec
