#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>

#include <mutex>
#include <shared_mutex>

#include "replace_file.hpp"
#include "search/faiss_hnsw.hpp"
#include "search/index_state.hpp"

namespace unitvec {
namespace {

faiss::MetricType faiss_metric(Metric metric) {
    switch (metric) {
        case Metric::euclidean: return faiss::METRIC_L2;
        case Metric::manhattan: return faiss::METRIC_L1;
        default: return faiss::METRIC_INNER_PRODUCT;
    }
}

/// FAISS's serialiser in front of our writer, which throws where FAISS's own would go on.
class FaissWriter final : public faiss::IOWriter {
public:
    explicit FaissWriter(ReplaceFile& file) : file_(file) {}

    std::size_t operator()(const void* data, std::size_t size, std::size_t count) override {
        file_.write({static_cast<const std::byte*>(data), size * count});
        return count;
    }

private:
    ReplaceFile& file_;
};

/// The vectors of these rows, without ids.
std::unique_ptr<faiss::Index> flat_of(const VectorStore& store,
                                      std::span<const std::uint32_t> rows) {
    auto flat = std::make_unique<faiss::IndexFlat>(static_cast<std::int64_t>(store.dim()),
                                                   faiss_metric(store.metric()));
    for (const auto row : rows) flat->add(1, store.row(row));
    return flat;
}

/// The vectors under our links. Only for a graph without dead rows, which FAISS could not skip.
std::unique_ptr<faiss::Index> hnsw_of(const VectorStore& store, const faiss::IndexHNSW& graph,
                                      const IndexOptions& options) {
    auto hnsw = std::make_unique<faiss::IndexHNSWFlat>(
        static_cast<int>(store.dim()), static_cast<int>(options.M), faiss_metric(store.metric()));
    hnsw->storage->add(static_cast<std::int64_t>(store.rows()), store.view().data);
    hnsw->ntotal = hnsw->storage->ntotal;
    hnsw->hnsw = graph.hnsw;
    hnsw->hnsw.efSearch = static_cast<int>(options.ef_search);
    return hnsw;
}

}  // namespace

void Index::to_faiss(const std::filesystem::path& path) const {
    const std::shared_lock lock(state_->mutex);
    const auto& state = *state_;
    const RowFilter live(state.ids.ids(), state.ids.live());
    const auto rows = live.rows();
    std::vector<Id> ids;
    for (const auto row : rows) ids.push_back(state.ids.ids()[row]);

    std::unique_ptr<faiss::Index> index;
    if (state.has_whole_graph() && live.takes_all()) {
        index = hnsw_of(state.store, state.graph->faiss().index, state.options);
    } else {
        index = flat_of(state.store, rows);
    }
    faiss::IndexIDMap2 with_ids;
    with_ids.d = index->d;
    with_ids.metric_type = index->metric_type;
    with_ids.is_trained = true;
    with_ids.index = index.get();  // not owned
    with_ids.own_fields = false;
    with_ids.id_map = ids;
    with_ids.ntotal = index->ntotal;
    with_ids.construct_rev_map();

    ReplaceFile file(path);
    FaissWriter writer(file);
    faiss::write_index(&with_ids, &writer);
    file.commit();
}

}  // namespace unitvec
