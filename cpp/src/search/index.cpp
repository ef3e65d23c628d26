#include "unitvec/search/index.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <shared_mutex>

#include "search/index_state.hpp"
#include "search/prepare.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kDeadShare = 5;  // one row in five dead: time to rebuild

void require_range(const char* name, std::size_t value, std::size_t least, std::size_t most) {
    if (value >= least && value <= most) return;
    throw_invalid(
        "Index",
        std::string(name) + " from " + std::to_string(least) + " to " + std::to_string(most),
        std::to_string(value));
}

/// The options with the dtype and the length of codes that they come to.
IndexOptions settled(std::size_t dim, IndexOptions options) {
    const bool bits = options.metric == Metric::hamming;
    if (bits && dim % 8 != 0) {
        throw_invalid("Index", "dim in bits under hamming, a multiple of 8", std::to_string(dim));
    }
    if (bits && options.dtype != VectorType::float32 && options.dtype != VectorType::bits) {
        throw_invalid("Index", "no dtype under hamming, which keeps bits",
                      std::string(name(options.dtype)));
    }
    if (!bits && options.dtype == VectorType::bits) {
        throw_invalid("Index", "metric hamming for dtype bits", std::string(name(options.metric)));
    }
    if (bits) options.dtype = VectorType::bits;
    if (has_lists(options.kind) && !has_products(options.metric)) {
        throw_invalid("Index",
                      "metric cosine, dot or euclidean for kind " + std::string(name(options.kind)),
                      std::string(name(options.metric)));
    }
    if (options.kind == IndexKind::ivfpq && options.pq_m == 0) {
        options.pq_m = ProductQuantizer::usual_m(dim);
    }
    return options;
}

}  // namespace

Index::Index(std::size_t dim, const IndexOptions& options) {
    require_range("dim", dim, 1, std::size_t{1} << 20);
    require_range("M", options.M, 2, 512);
    require_range("ef_construction", options.ef_construction, 1, 1'000'000);
    require_range("ef_search", options.ef_search, 1, 1'000'000);
    require_range("nlist", options.nlist, 0, 1'000'000);
    require_range("nprobe", options.nprobe, 1, 1'000'000);
    require_range("pq_m", options.pq_m, 0, dim);
    state_ = std::make_unique<State>(dim, settled(dim, options));
}

Index::Index(std::unique_ptr<State> state) : state_(std::move(state)) {}
Index::~Index() = default;
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;

std::vector<Id> Index::add(MatrixView<const float> vectors, std::optional<std::span<const Id>> ids,
                           const AddOptions& options) {
    return add_prepared(prepared_vectors(state_->store, vectors), ids, options);
}
std::vector<Id> Index::add(BitsView vectors, std::optional<std::span<const Id>> ids,
                           const AddOptions& options) {
    return add_prepared(prepared_vectors(state_->store, vectors), ids, options);
}

std::vector<Id> Index::add_prepared(const Matrix& vectors, std::optional<std::span<const Id>> ids,
                                    const AddOptions& options) {
    const RunOptions run{options.threads, options.interrupted};
    const std::unique_lock lock(state_->mutex);
    auto chosen = state_->ids.choose(vectors.rows(), ids);
    const std::size_t before = state_->store.rows();
    const Id next = state_->ids.next();
    try {
        state_->store.append(vectors.view());
        state_->ids.append(chosen);
        state_->build(run);
    } catch (...) {
        state_->undo_add(before);
        state_->ids.set_next(next);
        throw;
    }
    return chosen;
}

void Index::reserve(std::size_t rows) {
    const std::unique_lock lock(state_->mutex);
    state_->store.reserve(rows);  // a graph's room follows it
    state_->ids.reserve(rows);
}

void Index::train(MatrixView<const float> vectors, const AddOptions& options) {
    const Matrix prepared = prepared_vectors(state_->store, vectors);
    const std::unique_lock lock(state_->mutex);
    auto& state = *state_;
    if (!has_lists(state.options.kind)) return;
    const std::size_t usual = InvertedLists::usual_count(vectors.rows);
    const std::size_t lists = state.options.nlist == 0 ? usual : state.options.nlist;
    if (vectors.rows < lists) {
        throw_invalid("train", "at least " + std::to_string(lists) + " vectors, one a list",
                      std::to_string(vectors.rows));
    }
    const RunOptions run{options.threads, options.interrupted};
    state.train(prepared.view(), lists, run);
}

void Index::remove(std::span<const Id> ids, const RemoveOptions& options) {
    const std::unique_lock lock(state_->mutex);
    const auto rows = state_->ids.rows_to_remove(ids);
    state_->ids.mark_dead(rows);
    if (options.clear_dead && state_->ids.dead() * kDeadShare > state_->ids.rows()) {
        state_->compact({options.threads, options.interrupted});
    }
}

Matrix Index::reconstruct(std::span<const Id> ids) const {
    const std::shared_lock lock(state_->mutex);
    const auto& store = state_->store;
    if (store.type() == VectorType::bits) {
        throw_invalid("reconstruct", "an index of numbers", "one of bits: see reconstruct_bits");
    }
    const auto rows = state_->rows_of(ids);
    Matrix vectors(rows.size(), store.dim());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        store.widen(rows[i], vectors.row(i).data());
    }
    return vectors;
}

std::vector<std::uint8_t> Index::reconstruct_bits(std::span<const Id> ids) const {
    const std::shared_lock lock(state_->mutex);
    const auto& store = state_->store;
    if (store.type() != VectorType::bits) {
        throw_invalid("reconstruct_bits", "an index under hamming",
                      std::string(name(store.metric())));
    }
    std::vector<std::uint8_t> bits;
    bits.reserve(ids.size() * store.dim() / 8);
    for (const auto row : state_->rows_of(ids)) {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(store.row(row));
        bits.insert(bits.end(), bytes, bytes + store.dim() / 8);
    }
    return bits;
}

bool Index::contains(Id id) const {
    const std::shared_lock lock(state_->mutex);
    return state_->ids.find(id).has_value();
}

std::vector<Id> Index::ids() const {
    const std::shared_lock lock(state_->mutex);
    std::vector<Id> live;
    live.reserve(state_->ids.live());
    std::ranges::copy_if(state_->ids.ids(), std::back_inserter(live),
                         [](Id id) { return id != kDead; });
    return live;
}

std::size_t Index::size() const {
    const std::shared_lock lock(state_->mutex);
    return state_->ids.live();
}

std::size_t Index::dim() const {
    return state_->store.dim();
}
const IndexOptions& Index::options() const {
    return state_->options;
}

IndexStats Index::stats() const {
    const std::shared_lock lock(state_->mutex);
    const auto& state = *state_;
    const std::size_t graph = state.graph ? state.graph->bytes() : 0;
    const std::size_t lists = state.lists ? state.lists->bytes() : 0;
    return {state.kind_in_use(),
            state.store.type(),
            state.ids.live(),
            state.ids.dead(),
            state.store.dim(),
            state.store.bytes() + state.ids.bytes() + graph + lists,
            state.store.bytes(),
            state.code_bytes(),
            state.store.mapped_bytes(),
            state.lists ? state.lists->count() : 0,
            state.lists ? state.lists->imbalance() : 1.0,
            state.calibrations.oldest()};
}

/// Queries are prepared like vectors, but a zero query is welcome.
SearchResult Index::search(MatrixView<const float> queries, const SearchOptions& options) const {
    return search_prepared(prepared_queries("search", state_->store, queries), options);
}
SearchResult Index::search(BitsView queries, const SearchOptions& options) const {
    return search_prepared(prepared_queries("search", state_->store, queries), options);
}

SearchResult Index::search_prepared(const Matrix& queries, const SearchOptions& options) const {
    if (options.k == 0) throw_invalid("search", "k of at least 1", "0");
    if (!(options.min_recall >= 0.0 && options.min_recall <= 1.0)) {
        throw_invalid("search", "min_recall above 0 and at most 1",
                      std::to_string(options.min_recall));
    }
    if (options.min_recall > 0.0 && options.ef_search + options.nprobe > 0) {
        throw_invalid("search", "min_recall or ef_search or nprobe", "both");
    }
    if (options.min_recall > 0.0 && options.early_end) {
        throw_invalid("search", "min_recall or early_end", "both");
    }
    if (options.early_end && !(options.early_end->slack >= 0.0 && options.early_end->k > 0)) {
        throw_invalid("search", "early_end with k of at least 1 and slack of at least 0",
                      std::to_string(options.early_end->k) + " and " +
                          std::to_string(options.early_end->slack));
    }
    const std::shared_lock lock(state_->mutex);
    const auto& state = *state_;
    const RowFilter filter = state.filter(options);
    return state.to_result(state.nearest(queries.view(), options, filter), options.k);
}

RangeResult Index::range_search(MatrixView<const float> queries, float min_score,
                                const SearchOptions& options) const {
    const Matrix prepared = prepared_queries("range_search", state_->store, queries);
    return range_search_prepared(prepared, min_score, options);
}
RangeResult Index::range_search(BitsView queries, float min_score,
                                const SearchOptions& options) const {
    const Matrix prepared = prepared_queries("range_search", state_->store, queries);
    return range_search_prepared(prepared, min_score, options);
}

RangeResult Index::range_search_prepared(const Matrix& queries, float min_score,
                                         const SearchOptions& options) const {
    if (std::isnan(min_score)) throw_invalid("range_search", "a number as min_score", "nan");
    const std::shared_lock lock(state_->mutex);
    const auto& state = *state_;
    const RowFilter filter = state.filter(options);
    const float least = nearness_of(state.store.metric(), min_score);
    const auto near = exact_range_search(state.store, queries.view(), least, filter,
                                         {options.threads, options.interrupted});
    RangeResult result;
    result.offsets.push_back(0);
    for (const auto& row : near) {
        for (const auto& neighbour : row) {
            const float score = score_of(state.store.metric(), neighbour.nearness);
            if (score < min_score) continue;  // nearness_of rounds towards farther
            result.scores.push_back(score);
            result.ids.push_back(state.ids.ids()[neighbour.row]);
        }
        result.offsets.push_back(result.ids.size());
    }
    return result;
}

}  // namespace unitvec
