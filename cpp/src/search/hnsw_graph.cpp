#include "search/hnsw_graph.hpp"

#include <algorithm>

#include "search/coded_query.hpp"
#include "search/hnsw_batch.hpp"
#include "search/row_codec.hpp"

namespace unitvec {
namespace {

// A batch is a small share of the graph, or its rows would miss too many neighbours among
// themselves; and no longer than a fraction of a second, for the interrupt.
constexpr std::size_t kBatchShare = 50;
constexpr std::size_t kMostAtOnce = 2048;

}  // namespace

HnswGraph::HnswGraph(const VectorStore& store, std::size_t M, std::size_t ef_construction)
    : store_(store), ef_construction_(ef_construction), links_(M) {
    if (wants_codes(store)) codes_.emplace(store.dim(), store.metric(), VectorType::int8);
    if (RowSketches::are_worth(store)) sketches_.emplace(store.dim(), store.metric());
}

GraphVectors HnswGraph::vectors() const {
    if (codes_) return {store_, &*codes_, sketches()};
    return {store_, store_.has_codes() ? &store_ : nullptr, sketches()};
}

void HnswGraph::encode_stored(std::size_t threads) {
    if (sketches_) sketches_->extend(store_, threads);
    if (!codes_) return;
    codes_->reserve(store_.room());
    Matrix room(1, store_.dim());
    for (std::size_t row = codes_->rows(); row < store_.rows(); ++row) {
        codes_->append(store_.numbers(row, 1, room.data()));
    }
}

/// Codes and sketches of rows that are not linked may be of vectors whose add was undone.
void HnswGraph::forget_unlinked() {
    if (sketches_) sketches_->truncate(rows());
    if (codes_ && codes_->rows() > rows()) codes_->truncate(rows());
}

void HnswGraph::link_stored(const RunOptions& run) {
    forget_unlinked();
    encode_stored(run.threads);
    links_.reserve(store_.room());
    const auto all = vectors();
    while (rows() < store_.rows()) {
        run.check();
        const std::size_t share = std::clamp<std::size_t>(rows() / kBatchShare, 1, kMostAtOnce);
        const std::size_t count = std::min(share, store_.rows() - rows());
        HnswBatch(all, links_, walks_, ef_construction_).link(count, run.threads);
    }
}

std::vector<Neighbour> HnswGraph::search(const float* query, std::size_t k, const Breadth& breadth,
                                         const RowFilter& filter) const {
    if (rows() == 0) return {};
    const auto all = vectors();
    HnswTarget target(all, query);
    target.sketch();
    const BorrowedWalk walk(walks_, rows());
    TopK found(std::max(breadth.most, k));
    WalkEnd end(breadth, store_.metric());
    const Neighbour start = walk->descend(links_, target, 0);
    walk->explore(links_, target, 0, {&start, 1}, filter.takes_all() ? nullptr : &filter,
                  breadth.varies() ? &end : nullptr, found);
    if (all.codes != nullptr) return nearest_of(store_, query, k, found.unsorted());
    auto nearest = found.take_sorted();
    if (nearest.size() > k) nearest.resize(k);
    return nearest;
}

std::size_t HnswGraph::expected_bytes(const VectorStore& store, std::size_t M) {
    const std::size_t code = wants_codes(store) ? row_bytes(VectorType::int8, store.dim()) : 0;
    const std::size_t sketch = RowSketches::are_worth(store) ? kernels::sketch_row(store.dim()) : 0;
    return store.rows() * (HnswLinks::expected_bytes(M) + code + sketch);
}

std::size_t HnswGraph::bytes() const {
    return links_.bytes() + code_bytes() + (sketches_ ? sketches_->bytes() : 0);
}

std::string HnswGraph::restore(const HnswLinks::FlatView& links) {
    encode_stored(0);
    return links_.restore(links, store_.rows());
}

}  // namespace unitvec
