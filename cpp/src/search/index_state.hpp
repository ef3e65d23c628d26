#pragma once
/// What an Index holds, for the sources that search, save and load it.
#include <memory>

#include "search/breadth.hpp"
#include "search/calibration.hpp"
#include "search/fair_mutex.hpp"
#include "search/hnsw_graph.hpp"
#include "search/id_map.hpp"
#include "search/inverted_lists.hpp"
#include "search/vector_store.hpp"
#include "unitvec/search/index.hpp"

namespace unitvec {

/// Whether an index of that kind has lists from the beginning; `automatic` may come to have them.
[[nodiscard]] inline bool has_lists(IndexKind kind) {
    return kind == IndexKind::ivf || kind == IndexKind::ivfpq;
}

struct Index::State {
    State(std::size_t dim, const IndexOptions& index_options)
        : options(index_options), store(dim, index_options.metric, index_options.dtype) {}

    /// The rows of one search: live, and allowed.
    [[nodiscard]] RowFilter filter(const SearchOptions& search) const;
    /// How much an approximate search looks at, and what recall to expect of it.
    struct Effort {
        Breadth breadth;
        std::optional<double> recall;
    };
    /// For a search of k neighbours; nothing: it has to be exact.
    [[nodiscard]] std::optional<Effort> effort(const SearchOptions& search, std::size_t k) const;
    /// Recall@k over `queries`, or where there are none over mixtures of stored vectors.
    [[nodiscard]] std::vector<RecallPoint> measure(std::size_t k, MatrixView<const float> queries,
                                                   const RunOptions& run) const;
    [[nodiscard]] std::vector<RecallPoint> curve(std::size_t k, const RunOptions& run) const;

    struct Found {
        Neighbours neighbours;
        bool exact;  ///< none was missed
        std::optional<double> recall;
    };
    /// The k nearest of each query.
    [[nodiscard]] Found nearest(MatrixView<const float> queries, const SearchOptions& search,
                                const RowFilter& filter) const;
    /// The same through graph or lists. @param whole  whether queries that meet fewer than k rows
    ///                                               are compared with all
    [[nodiscard]] Neighbours approximate(MatrixView<const float> queries, std::size_t k,
                                         const Breadth& breadth, const RowFilter& filter,
                                         bool whole, const RunOptions& run) const;
    /// What such a search has to look at where only some rows are eligible; nothing: to compare all
    /// of these is no more work.
    [[nodiscard]] std::optional<Breadth> breadth_for(const RowFilter& filter,
                                                     const Breadth& breadth) const;
    /// The rows of these ids. @throws std::invalid_argument if one is unknown
    [[nodiscard]] std::vector<std::uint32_t> rows_of(std::span<const Id> wanted) const;
    [[nodiscard]] SearchResult to_result(const Found& found, std::size_t k) const;

    /// Links every row that is not linked yet, or puts it into its list, where the kind wants it.
    /// @throws Interrupted, with a part of them done
    void build(const RunOptions& run);
    void build_graph(const RunOptions& run);
    void build_lists(const RunOptions& run);
    /// Calls work(), which changes graph or lists. Where it fails but by an interrupt, as memory
    /// runs out, what may be half changed is dropped: searches scan until the next add builds anew.
    template <typename Work>
    void whole_or_dropped(const Work& work);
    void make_lists();  ///< empty ones, where there are none yet
    /// Learns so many lists, and what their codes are made by, and puts all rows into them.
    void train(MatrixView<const float> vectors, std::size_t count, const RunOptions& run);
    /// An interrupted build leaves rows out: searches scan until the next add is done with them.
    [[nodiscard]] bool has_whole_graph() const { return graph && graph->rows() == store.rows(); }
    [[nodiscard]] bool has_whole_lists() const {
        return lists && lists->trained() && lists->rows() == store.rows();
    }
    [[nodiscard]] std::size_t code_bytes() const;
    /// What `automatic` has come to; of the other kinds the kind itself.
    [[nodiscard]] IndexKind kind_in_use() const;
    /// What it comes to with the vectors that the store has now.
    [[nodiscard]] IndexKind kind_wanted() const;
    [[nodiscard]] bool graph_fits() const;
    /// Drops the dead rows and links the graph anew.
    void compact(const RunOptions& run);
    /// Makes a failed add unseen: `rows` were there before it.
    void undo_add(std::size_t rows);

    IndexOptions options;
    mutable FairMutex mutex;  // shared: read; unique: change
    VectorStore store;
    IdMap ids;                             // as many rows as the store
    std::unique_ptr<HnswGraph> graph;      // over all rows, or none
    std::unique_ptr<InvertedLists> lists;  // of all rows, or none
    mutable Calibrations calibrations;
};

}  // namespace unitvec
