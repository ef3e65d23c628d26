#include <algorithm>
#include <array>
#include <mutex>
#include <shared_mutex>

#include "search/index_state.hpp"
#include "search/prepare.hpp"
#include "search/random.hpp"
#include "unitvec/error.hpp"
#include "vector_length.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kSample = 256;      // queries made of stored vectors
constexpr std::size_t kWidest = 1 << 14;  // candidates beyond which a scan is as good

/// The vectors that a query is mixed of.
using Rows = std::array<std::uint32_t, 3>;

/// Of each bit what most of the rows have.
void mix_bits(const VectorStore& store, const Rows& rows, float* query) {
    auto* to = reinterpret_cast<std::byte*>(query);
    for (std::size_t i = 0; i < store.row_bytes(); ++i) {
        const std::byte a = store.row(rows[0])[i], b = store.row(rows[1])[i];
        to[i] = (a & b) | ((a | b) & store.row(rows[2])[i]);
    }
}

/// The mean of the rows, made as long as the first: shorter ones lie amid all vectors.
void mix_numbers(const VectorStore& store, const Rows& rows, float* query) {
    std::vector<float> room(store.dim());
    std::fill_n(query, store.dim(), 0.0F);
    for (const auto row : rows) {
        const auto numbers = store.numbers(row, 1, room.data());
        for (std::size_t j = 0; j < store.dim(); ++j) query[j] += numbers.data[j];
    }
    const double now = length({query, store.dim()});
    const double as_first = length(store.numbers(rows[0], 1, room.data()).row(0));
    const double scale = now > 0.0 ? as_first / now : 0.0;
    for (std::size_t j = 0; j < store.dim(); ++j) query[j] *= static_cast<float>(scale);
}

struct StandIns {
    Matrix queries;
    std::vector<Rows> mixed;  // what each is made of
};

/// Queries that stand in for real ones: mixtures of some live vectors each. Stored vectors would
/// not do: each has its nearest as its own links, or lies nearest to a centroid that it helped to
/// make, and finds more than a query that the index has never seen. A mixture finds less.
StandIns stand_ins(const VectorStore& store, const RowFilter& live) {
    const auto rows = live.rows();
    StandIns made{Matrix(std::min(kSample, rows.size()), store.query_cols()), {}};
    Random random(rows.size());
    for (std::size_t i = 0; i < made.queries.rows(); ++i) {
        Rows mixed;
        for (auto& row : mixed) row = rows[random.below(rows.size())];
        if (store.type() == VectorType::bits) {
            mix_bits(store, mixed, made.queries.row(i).data());
        } else {
            mix_numbers(store, mixed, made.queries.row(i).data());
        }
        made.mixed.push_back(mixed);
    }
    return made;
}

/// The k nearest of each query but for what it is made of.
/// @param mixed  empty: all count
Neighbours of_others(Neighbours found, const std::vector<Rows>& mixed, std::size_t k) {
    for (std::size_t q = 0; q < mixed.size(); ++q) {
        std::erase_if(found[q], [&](const Neighbour& one) {
            return std::ranges::find(mixed[q], one.row) != mixed[q].end();
        });
        if (found[q].size() > k) found[q].resize(k);
    }
    return found;
}

}  // namespace

std::vector<RecallPoint> Index::State::measure(std::size_t k, MatrixView<const float> queries,
                                               const RunOptions& run) const {
    const RowFilter live(ids.ids(), ids.live());
    StandIns made;
    if (queries.rows == 0) {
        made = stand_ins(store, live);
        queries = made.queries.view();
    }
    // A walk comes by these easily; in lists they are as hard to find as other far vectors.
    if (!graph) made.mixed.clear();
    const std::size_t wanted = std::min(k, live.eligible());
    const std::size_t with_mixed = wanted + (made.mixed.empty() ? 0 : Rows().size());
    const std::size_t least = graph ? k : 1;
    // Who wants all lists gets a scan, which is exact.
    const std::size_t most = graph ? std::min(kWidest, store.rows()) : lists->count() - 1;
    const auto truth =
        of_others(exact_search(store, queries, with_mixed, live, run), made.mixed, wanted);
    return recall_curve(truth, least, most, [&](std::size_t amount) {
        const std::size_t n = graph ? std::min(with_mixed, amount) : wanted;
        return of_others(approximate(queries, n, Breadth(amount), live, false, run), made.mixed,
                         wanted);
    });
}

std::vector<RecallPoint> Index::State::curve(std::size_t k, const RunOptions& run) const {
    return calibrations.curve(k, store.rows(), [&](std::size_t n, MatrixView<const float> queries) {
        return measure(n, queries, run);
    });
}

std::optional<Index::State::Effort> Index::State::effort(const SearchOptions& search,
                                                         std::size_t k) const {
    const std::size_t least = graph ? k : 1;
    if (search.min_recall <= 0.0) {
        const std::size_t named = graph ? search.ef_search : search.nprobe;
        const std::size_t own = graph ? options.ef_search : options.nprobe;
        const std::size_t amount = std::max(named == 0 ? own : named, least);
        if (graph && search.early_end) {
            const auto& end = *search.early_end;  // what it finds has not been measured
            const std::size_t kept = std::clamp(end.least, least, amount);
            return Effort{{kept, amount, end.k, end.slack}, std::nullopt};
        }
        const auto known = calibrations.known(k, store.rows());
        if (!known || known->empty()) return Effort{Breadth(amount), std::nullopt};
        return Effort{Breadth(amount), recall_at(*known, amount)};
    }
    const auto point =
        first_reaching(curve(k, {search.threads, search.interrupted}), search.min_recall);
    if (!point) return std::nullopt;
    return Effort{Breadth(std::max(point->effort, least)), point->recall};
}

std::vector<RecallPoint> Index::tune_prepared(Matrix queries, const SearchOptions& options) {
    if (options.k == 0) throw_invalid("tune", "k of at least 1", "0");
    const std::shared_lock lock(state_->mutex);
    const auto& state = *state_;
    state.calibrations.use(std::move(queries));
    if (!state.has_whole_graph() && !state.has_whole_lists()) return {};
    return state.curve(options.k, {options.threads, options.interrupted});
}

std::vector<RecallPoint> Index::tune(MatrixView<const float> queries,
                                     const SearchOptions& options) {
    return tune_prepared(prepared_queries("tune", state_->store, queries), options);
}
std::vector<RecallPoint> Index::tune(BitsView queries, const SearchOptions& options) {
    return tune_prepared(prepared_queries("tune", state_->store, queries), options);
}

}  // namespace unitvec
