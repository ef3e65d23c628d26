#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include "replace_file.hpp"
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

/// Appends rows, as float32, to what holds FAISS's vectors.
void add_numbers(faiss::Index& to, const VectorStore& store, std::span<const std::uint32_t> rows) {
    std::vector<float> room(store.dim());
    for (const auto row : rows) to.add(1, store.numbers(row, 1, room.data()).data);
}

/// The vectors of these rows, without ids.
std::unique_ptr<faiss::Index> flat_of(const VectorStore& store,
                                      std::span<const std::uint32_t> rows) {
    auto flat = std::make_unique<faiss::IndexFlat>(static_cast<std::int64_t>(store.dim()),
                                                   faiss_metric(store.metric()));
    add_numbers(*flat, store, rows);
    return flat;
}

/// All vectors under our links. Only for a graph without dead rows, which FAISS could not skip.
std::unique_ptr<faiss::Index> hnsw_of(const VectorStore& store, const HnswLinks& links,
                                      const IndexOptions& options,
                                      std::span<const std::uint32_t> rows) {
    auto index = std::make_unique<faiss::IndexHNSWFlat>(
        static_cast<int>(store.dim()), static_cast<int>(options.M), faiss_metric(store.metric()));
    add_numbers(*index->storage, store, rows);
    index->ntotal = index->storage->ntotal;
    auto& hnsw = index->hnsw;  // its offsets begin with 0
    const auto flat = links.flat();
    hnsw.levels.assign(flat.levels.begin(), flat.levels.end());
    for (const int levels : flat.levels) {
        const auto room = static_cast<std::size_t>(hnsw.cum_nb_neighbors(levels));
        hnsw.offsets.push_back(hnsw.offsets.back() + room);
    }
    hnsw.neighbors.resize(flat.links.size());
    std::ranges::copy(flat.links, hnsw.neighbors.data());
    hnsw.entry_point = flat.entry;
    hnsw.max_level = flat.max_level;
    hnsw.efConstruction = static_cast<int>(options.ef_construction);
    hnsw.efSearch = static_cast<int>(options.ef_search);
    return index;
}

/// The lists with ids in them, as FAISS has them, of the live rows.
std::unique_ptr<faiss::Index> ivf_of(const VectorStore& store, const InvertedLists& lists,
                                     const IndexOptions& options, const IdMap& ids) {
    const auto [centroids, list_of_row] = lists.parts();
    const auto metric = faiss_metric(store.metric());
    auto quantizer =
        std::make_unique<faiss::IndexFlat>(static_cast<std::int64_t>(store.dim()), metric);
    quantizer->add(static_cast<std::int64_t>(centroids.rows), centroids.data);
    auto ivf =
        std::make_unique<faiss::IndexIVFFlat>(quantizer.get(), store.dim(), centroids.rows, metric);
    ivf->own_fields = true;
    (void)quantizer.release();
    ivf->is_trained = true;
    ivf->nprobe = options.nprobe;
    std::vector<float> room(store.dim());
    for (std::uint32_t row = 0; row < store.rows(); ++row) {
        const Id id = ids.ids()[row];
        if (id == kDead) continue;
        const auto* numbers = store.numbers(row, 1, room.data()).data;
        ivf->invlists->add_entry(static_cast<std::size_t>(list_of_row[row]), id,
                                 reinterpret_cast<const std::uint8_t*>(numbers));
        ++ivf->ntotal;
    }
    return ivf;
}

/// The bits of these rows, without ids.
std::unique_ptr<faiss::IndexBinary> flat_bits_of(const VectorStore& store,
                                                 std::span<const std::uint32_t> rows) {
    auto flat = std::make_unique<faiss::IndexBinaryFlat>(static_cast<std::int64_t>(store.dim()));
    for (const auto row : rows) {
        flat->add(1, reinterpret_cast<const std::uint8_t*>(store.row(row)));
    }
    return flat;
}

/// What FAISS calls an index under ids: IndexIDMap2, or IndexBinaryIDMap2.
template <typename IdMap, typename Inner>
IdMap with_ids(Inner& index, std::span<const Id> ids) {
    IdMap named;
    named.d = index.d;
    named.metric_type = index.metric_type;
    named.is_trained = true;
    named.index = &index;  // not owned
    named.own_fields = false;
    named.id_map.assign(ids.begin(), ids.end());
    named.ntotal = index.ntotal;
    named.construct_rev_map();
    return named;
}

}  // namespace

void Index::to_faiss(const std::filesystem::path& path) const {
    const std::shared_lock lock(state_->mutex);
    const auto& state = *state_;
    const RowFilter live(state.ids.ids(), state.ids.live());
    const auto rows = live.rows();
    std::vector<Id> ids;
    for (const auto row : rows) ids.push_back(state.ids.ids()[row]);

    ReplaceFile file(path);
    FaissWriter writer(file);
    if (state.store.type() == VectorType::bits) {
        const auto index = flat_bits_of(state.store, rows);
        auto named = with_ids<faiss::IndexBinaryIDMap2>(*index, ids);
        named.code_size = index->code_size;
        faiss::write_index_binary(&named, &writer);
    } else if (state.has_whole_lists()) {
        faiss::write_index(ivf_of(state.store, *state.lists, state.options, state.ids).get(),
                           &writer);
    } else {
        const bool linked = state.has_whole_graph() && live.takes_all();
        const auto index = linked ? hnsw_of(state.store, state.graph->links(), state.options, rows)
                                  : flat_of(state.store, rows);
        const auto named = with_ids<faiss::IndexIDMap2>(*index, ids);
        faiss::write_index(&named, &writer);
    }
    file.commit();
}

}  // namespace unitvec
