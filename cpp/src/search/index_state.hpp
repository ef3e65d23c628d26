#pragma once
/// What an Index holds, for the sources that search, save and load it.
#include <memory>

#include "search/fair_mutex.hpp"
#include "search/hnsw_graph.hpp"
#include "search/id_map.hpp"
#include "search/vector_store.hpp"
#include "unitvec/search/index.hpp"

namespace unitvec {

struct Index::State {
    State(std::size_t dim, const IndexOptions& index_options)
        : options(index_options), store(dim, index_options.metric, index_options.dtype) {}

    /// The rows of one search: live, and allowed.
    [[nodiscard]] RowFilter filter(const SearchOptions& search) const;
    /// The k nearest of each query; `exact` tells whether none was missed.
    [[nodiscard]] Neighbours nearest(MatrixView<const float> queries, const SearchOptions& search,
                                     const RowFilter& filter, bool& exact) const;
    /// The rows of these ids. @throws std::invalid_argument if one is unknown
    [[nodiscard]] std::vector<std::uint32_t> rows_of(std::span<const Id> wanted) const;
    [[nodiscard]] SearchResult to_result(const Neighbours& found, std::size_t k, bool exact) const;

    /// Links every row that is not linked yet. @throws Interrupted, with a part of them linked
    void build_graph(const RunOptions& run);
    /// An interrupted build leaves rows unlinked: searches scan until the next add links them.
    [[nodiscard]] bool has_whole_graph() const { return graph && graph->rows() == store.rows(); }
    [[nodiscard]] bool wants_graph(std::size_t live) const;
    /// Drops the dead rows and links the graph anew.
    void compact(const RunOptions& run);
    /// Makes a failed add unseen: `rows` were there before it.
    void undo_add(std::size_t rows);

    IndexOptions options;
    mutable FairMutex mutex;  // shared: read; unique: change
    VectorStore store;
    IdMap ids;                         // as many rows as the store
    std::unique_ptr<HnswGraph> graph;  // over all rows, or none
};

}  // namespace unitvec
