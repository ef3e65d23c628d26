#pragma once
/// The HNSW graph: built by FAISS with our distance kernels, searched by our own walk.
///
/// FAISS's own search neither skips removed vectors nor honours a filter in 1.7.3 (Debian 12), and
/// calls a virtual function a distance; the walk here does both at once and compares a whole list
/// of neighbours per call.
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "search/exact_search.hpp"
#include "search/row_filter.hpp"
#include "search/top_k.hpp"
#include "search/vector_store.hpp"

namespace unitvec {

class HnswGraph {
public:
    /// An empty graph over `store`, which must outlive it and stay where it is.
    HnswGraph(VectorStore& store, std::size_t M, std::size_t ef_construction);
    ~HnswGraph();

    /// Appends the vectors to the store and links them. @throws Interrupted; the vectors linked so
    /// far then stay in the store, for the caller to mark dead.
    void add(MatrixView<const float> vectors, const RunOptions& run);

    /// Links rows [rows(), store.rows()) that are in the store already.
    void link_stored(const RunOptions& run);

    /// Up to k eligible rows near the query, best first.
    /// @param ef  candidates kept, at least k
    [[nodiscard]] std::vector<Neighbour> search(const float* query, std::size_t k, std::size_t ef,
                                                const RowFilter& filter) const;

    [[nodiscard]] std::size_t rows() const;
    [[nodiscard]] std::size_t bytes() const;

    /// The links, for saving. Row i's lists, lowest level first, follow each other in `links`: 2 M
    /// for level 0, M for each further level; a list ends early at -1.
    struct Links {
        std::span<const int> levels;  ///< of each row: the number of levels it is on, from 1
        std::span<const std::int32_t> links;
        std::int32_t entry_point;  ///< -1: none
        int max_level;             ///< -1: none
    };
    [[nodiscard]] Links links() const;

    /// Restores links over a store that is complete.
    /// @returns an empty string, or what is wrong with them: nothing is trusted
    [[nodiscard]] std::string restore(const Links& links);

    struct Faiss;  ///< FAISS's types, known to the sources only
    [[nodiscard]] const Faiss& faiss() const { return *faiss_; }

private:
    class Walk;
    class WalkPool;
    std::unique_ptr<Faiss> faiss_;
    std::unique_ptr<WalkPool> pool_;
};

}  // namespace unitvec
