#pragma once
/// The HNSW graph (Malkov and Yashunin 2016) over the vectors of a store.
///
/// Walks compare vectors by 8-bit codes where the metric and the store allow it, and what they find
/// is compared anew by the store's own kernels: nearness is always the store's. Of long vectors
/// sketches tell a walk which rows it need not compare (ADR 14).
///
/// Rows are linked in batches: each looks for its neighbours in the graph as it was before the
/// batch, then the neighbours take up their links back. No lock is needed, and the graph is the
/// same on any number of threads (Manohar et al. 2024, "ParlayANN", section 3).
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "search/exact_search.hpp"
#include "search/hnsw_links.hpp"
#include "search/hnsw_target.hpp"
#include "search/hnsw_walk.hpp"
#include "search/row_filter.hpp"
#include "search/row_sketches.hpp"
#include "search/top_k.hpp"
#include "search/vector_store.hpp"

namespace unitvec {

class HnswGraph {
public:
    /// An empty graph over `store`, which must outlive it and stay where it is.
    HnswGraph(const VectorStore& store, std::size_t M, std::size_t ef_construction);

    /// Links rows [rows(), store.rows()). @throws Interrupted, with a part of them linked
    void link_stored(const RunOptions& run);

    /// Up to k eligible rows near the query, best first.
    /// @param breadth  candidates kept, at least k
    [[nodiscard]] std::vector<Neighbour> search(const float* query, std::size_t k,
                                                const Breadth& breadth,
                                                const RowFilter& filter) const;

    [[nodiscard]] std::size_t rows() const { return links_.rows(); }
    /// bytes() of a graph over all rows of the store.
    [[nodiscard]] static std::size_t expected_bytes(const VectorStore& store, std::size_t M);
    [[nodiscard]] std::size_t bytes() const;  ///< of links, codes and sketches
    [[nodiscard]] std::size_t code_bytes() const { return codes_ ? codes_->bytes() : 0; }
    [[nodiscard]] const HnswLinks& links() const { return links_; }
    /// Of all rows that are linked; nullptr where there are none.
    [[nodiscard]] const RowSketches* sketches() const {
        return sketches_ && sketches_->rows() > 0 ? &*sketches_ : nullptr;
    }
    /// Where sketches can be restored before the links are; nullptr where they are not worth it.
    [[nodiscard]] RowSketches* empty_sketches() { return sketches_ ? &*sketches_ : nullptr; }

    /// Restores links over a store that is complete.
    /// @returns an empty string, or what is wrong with them: nothing is trusted
    [[nodiscard]] std::string restore(const HnswLinks::FlatView& links);

private:
    void encode_stored(std::size_t threads);
    void forget_unlinked();
    [[nodiscard]] GraphVectors vectors() const;

    const VectorStore& store_;
    std::size_t ef_construction_;
    std::optional<VectorStore> codes_;  // of the rows, where the store has none itself
    std::optional<RowSketches> sketches_;
    HnswLinks links_;
    mutable HnswWalks walks_;
};

}  // namespace unitvec
