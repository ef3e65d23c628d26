#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexRefine.h>
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

/// Lists as FAISS has them, without vectors: an index around the centroids.
/// @param more  what the constructor of `Ivf` takes between the number of lists and the metric
template <typename Ivf, typename... More>
std::unique_ptr<Ivf> empty_lists_of(const VectorStore& store, MatrixView<const float> centroids,
                                    const IndexOptions& options, More... more) {
    const auto metric = faiss_metric(store.metric());
    auto quantizer =
        std::make_unique<faiss::IndexFlat>(static_cast<std::int64_t>(store.dim()), metric);
    quantizer->add(static_cast<std::int64_t>(centroids.rows), centroids.data);
    auto ivf = std::make_unique<Ivf>(quantizer.get(), store.dim(), centroids.rows, more..., metric);
    ivf->own_fields = true;
    (void)quantizer.release();
    ivf->is_trained = true;
    ivf->nprobe = options.nprobe;
    return ivf;
}

/// The lists with ids and vectors in them, of the live rows.
std::unique_ptr<faiss::Index> ivf_of(const VectorStore& store, const InvertedLists& lists,
                                     const IndexOptions& options, const IdMap& ids) {
    const auto parts = lists.parts();
    auto ivf = empty_lists_of<faiss::IndexIVFFlat>(store, parts.centroids, options);
    std::vector<float> room(store.dim());
    for (std::uint32_t row = 0; row < store.rows(); ++row) {
        const Id id = ids.ids()[row];
        if (id == kDead) continue;
        const auto* numbers = store.numbers(row, 1, room.data()).data;
        ivf->invlists->add_entry(static_cast<std::size_t>(parts.list_of_row[row]), id,
                                 reinterpret_cast<const std::uint8_t*>(numbers));
        ++ivf->ntotal;
    }
    return ivf;
}

/// The centroids of codes, (dim, 256), in FAISS's order: (m, 256, dim / m).
std::vector<float> centroids_by_part(std::span<const float> by_number, std::size_t dim,
                                     std::size_t m) {
    constexpr std::size_t kCentroids = ProductQuantizer::kCentroids;
    const std::size_t width = dim / m;
    std::vector<float> by_part(by_number.size());
    for (std::size_t j = 0; j < dim; ++j) {
        for (std::size_t c = 0; c < kCentroids; ++c) {
            by_part[(j / width * kCentroids + c) * width + j % width] =
                by_number[j * kCentroids + c];
        }
    }
    return by_part;
}

/// The lists with numbers and codes in them, in the order of these rows.
std::unique_ptr<faiss::Index> ivfpq_of(const VectorStore& store, const InvertedLists& lists,
                                       const IndexOptions& options,
                                       std::span<const std::uint32_t> rows) {
    constexpr std::size_t kBits = 8;
    const auto parts = lists.parts();
    const std::size_t m = options.pq_m;
    auto ivf = empty_lists_of<faiss::IndexIVFPQ>(store, parts.centroids, options, m, kBits);
    ivf->pq.centroids = centroids_by_part(parts.code_centroids, store.dim(), m);
    const auto codes = lists.codes();
    for (const auto row : rows) {
        ivf->invlists->add_entry(static_cast<std::size_t>(parts.list_of_row[row]), ivf->ntotal,
                                 codes.data() + row * m);
        ++ivf->ntotal;
    }
    return ivf;
}

/// The same with the vectors, by which FAISS re-ranks as many candidates for 10 neighbours as we.
std::unique_ptr<faiss::Index> refined_ivfpq_of(const VectorStore& store, const InvertedLists& lists,
                                               const IndexOptions& options,
                                               std::span<const std::uint32_t> rows) {
    constexpr std::size_t kUsualK = 10;
    auto refined = std::make_unique<faiss::IndexRefineFlat>();
    refined->own_fields = refined->own_refine_index = true;
    refined->base_index = ivfpq_of(store, lists, options, rows).release();
    refined->refine_index = flat_of(store, rows).release();
    refined->d = refined->base_index->d;
    refined->metric_type = refined->base_index->metric_type;
    refined->ntotal = refined->base_index->ntotal;
    refined->is_trained = true;
    refined->k_factor =
        static_cast<float>(InvertedLists::candidates(kUsualK, options.nprobe)) / kUsualK;
    return refined;
}

/// Whether the lists have codes that FAISS can have, too: of parts of equal length.
bool writes_codes(const IndexOptions& options, std::size_t dim) {
    return options.kind == IndexKind::ivfpq && dim % options.pq_m == 0;
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
    } else if (state.has_whole_lists() && !writes_codes(state.options, state.store.dim())) {
        faiss::write_index(ivf_of(state.store, *state.lists, state.options, state.ids).get(),
                           &writer);
    } else {
        const bool linked = state.has_whole_graph() && live.takes_all();
        const auto index = linked ? hnsw_of(state.store, state.graph->links(), state.options, rows)
                           : state.has_whole_lists()
                               ? refined_ivfpq_of(state.store, *state.lists, state.options, rows)
                               : flat_of(state.store, rows);
        const auto named = with_ids<faiss::IndexIDMap2>(*index, ids);
        faiss::write_index(&named, &writer);
    }
    file.commit();
}

}  // namespace unitvec
