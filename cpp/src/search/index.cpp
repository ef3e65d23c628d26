#include "unitvec/search/index.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <shared_mutex>

#include "search/index_state.hpp"
#include "unitvec/error.hpp"
#include "unitvec/normalize.hpp"

namespace unitvec {
namespace {

constexpr double kLargestLength = 1e18;    // squares, and four times them, stay finite in float32
constexpr double kSmallestLength = 1e-12;  // as l2_normalize: a shorter vector has no direction
constexpr std::size_t kDeadShare = 5;      // one row in five dead: time to rebuild

double length(std::span<const float> x) {
    double sum = 0.0;
    for (const float value : x) sum += static_cast<double>(value) * value;
    return std::sqrt(sum);
}

void require_lengths(const char* function, Metric metric, MatrixView<const float> vectors,
                     bool zero_allowed) {
    for (std::size_t i = 0; i < vectors.rows; ++i) {
        const double here = length(vectors.row(i));
        const bool too_short = metric == Metric::cosine && here < kSmallestLength && !zero_allowed;
        const bool too_long = metric != Metric::cosine && here > kLargestLength;
        if (!too_short && !too_long) continue;
        throw_invalid(function,
                      too_short ? "vectors with a direction, longer than 1e-12, under cosine"
                                : "vectors of length at most 1e18",
                      "length " + std::to_string(here) + " in row " + std::to_string(i));
    }
}

/// The vectors as they are stored and compared: checked, and of length 1 under cosine.
Matrix prepare(const char* function, const VectorStore& store, MatrixView<const float> vectors,
               bool zero_allowed) {
    require_dim(function, "vectors", store.dim(), vectors.cols);
    require_finite(function, "vectors", vectors);
    require_lengths(function, store.metric(), vectors, zero_allowed);
    Matrix prepared(vectors.rows, vectors.cols);
    if (store.metric() == Metric::cosine) {
        l2_normalize(vectors, prepared.view());
    } else {
        std::copy_n(vectors.data, vectors.size(), prepared.data());
    }
    return prepared;
}

void require_range(const char* name, std::size_t value, std::size_t least, std::size_t most) {
    if (value >= least && value <= most) return;
    throw_invalid(
        "Index",
        std::string(name) + " from " + std::to_string(least) + " to " + std::to_string(most),
        std::to_string(value));
}

}  // namespace

Index::Index(std::size_t dim, const IndexOptions& options) {
    require_range("dim", dim, 1, std::size_t{1} << 20);
    require_range("M", options.M, 2, 512);
    require_range("ef_construction", options.ef_construction, 1, 1'000'000);
    require_range("ef_search", options.ef_search, 1, 1'000'000);
    state_ = std::make_unique<State>(dim, options);
}

Index::Index(std::unique_ptr<State> state) : state_(std::move(state)) {}
Index::~Index() = default;
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;

std::vector<Id> Index::add(MatrixView<const float> vectors, std::optional<std::span<const Id>> ids,
                           const AddOptions& options) {
    const Matrix prepared = prepare("add", state_->store, vectors, /*zero_allowed=*/false);
    const RunOptions run{options.threads, options.interrupted};
    const std::unique_lock lock(state_->mutex);
    auto chosen = state_->ids.choose(vectors.rows, ids);
    const std::size_t before = state_->store.rows();
    const Id next = state_->ids.next();
    try {
        state_->store.append(prepared.view());
        state_->ids.append(chosen);
        if (state_->wants_graph(state_->ids.live())) state_->build_graph(run);
    } catch (...) {
        state_->undo_add(before);
        state_->ids.set_next(next);
        throw;
    }
    return chosen;
}

void Index::remove(std::span<const Id> ids, const AddOptions& options) {
    const std::unique_lock lock(state_->mutex);
    const auto rows = state_->ids.rows_to_remove(ids);
    state_->ids.mark_dead(rows);
    if (state_->ids.dead() * kDeadShare > state_->ids.rows()) {
        state_->compact({options.threads, options.interrupted});
    }
}

Matrix Index::reconstruct(std::span<const Id> ids) const {
    const std::shared_lock lock(state_->mutex);
    Matrix vectors(ids.size(), state_->store.dim());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto row = state_->ids.find(ids[i]);
        if (!row) {
            throw_invalid("reconstruct", "ids that the index holds", std::to_string(ids[i]));
        }
        std::copy_n(state_->store.row(*row), vectors.cols(), vectors.row(i).data());
    }
    return vectors;
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
    const bool flat = state.options.kind == IndexKind::flat ||
                      (state.options.kind == IndexKind::automatic && !state.graph);
    return {flat ? IndexKind::flat : IndexKind::hnsw, state.ids.live(), state.ids.dead(),
            state.store.dim(), state.store.bytes() + state.ids.bytes() + graph};
}

/// Queries are prepared like vectors, but a zero query is welcome.
SearchResult Index::search(MatrixView<const float> queries, const SearchOptions& options) const {
    if (options.k == 0) throw_invalid("search", "k of at least 1", "0");
    const Matrix prepared = prepare("search", state_->store, queries, /*zero_allowed=*/true);
    const std::shared_lock lock(state_->mutex);
    const auto& state = *state_;
    const RowFilter filter = state.filter(options);
    bool exact = false;
    const auto found = state.nearest(prepared.view(), options, filter, exact);
    return state.to_result(found, options.k, exact);
}

RangeResult Index::range_search(MatrixView<const float> queries, float min_score,
                                const SearchOptions& options) const {
    if (std::isnan(min_score)) throw_invalid("range_search", "a number as min_score", "nan");
    const Matrix prepared = prepare("range_search", state_->store, queries, /*zero_allowed=*/true);
    const std::shared_lock lock(state_->mutex);
    const auto& state = *state_;
    const RowFilter filter = state.filter(options);
    const float least = nearness_of(state.store.metric(), min_score);
    const auto near = exact_range_search(state.store, prepared.view(), least, filter,
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
