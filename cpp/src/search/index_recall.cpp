#include <algorithm>
#include <cstring>
#include <mutex>
#include <shared_mutex>

#include "search/index_state.hpp"
#include "search/prepare.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kSample = 256;      // stored vectors that stand in for queries
constexpr std::size_t kSmallestEf = 8;    // of a curve
constexpr std::size_t kWidest = 1 << 14;  // candidates beyond which a scan is as good

/// Live rows at equal distances, at most kSample.
std::vector<std::uint32_t> sampled_rows(const RowFilter& live) {
    const auto rows = live.rows();
    const std::size_t count = std::min(kSample, rows.size());
    std::vector<std::uint32_t> sample(count);
    for (std::size_t i = 0; i < count; ++i) sample[i] = rows[i * rows.size() / count];
    return sample;
}

/// Stored rows in the form of queries.
Matrix as_queries(const VectorStore& store, const std::vector<std::uint32_t>& rows) {
    Matrix queries(rows.size(), store.query_cols());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        float* query = queries.row(i).data();
        if (store.type() == VectorType::bits) {
            std::memcpy(query, store.row(rows[i]), store.row_bytes());
        } else {
            const auto numbers = store.numbers(rows[i], 1, query);
            if (numbers.data != query) std::copy_n(numbers.data, store.dim(), query);
        }
    }
    return queries;
}

/// Leaves out what each query, a stored row, finds first: itself. At most k others remain.
Neighbours without_self(Neighbours found, const std::vector<std::uint32_t>& rows, std::size_t k) {
    for (std::size_t q = 0; q < rows.size(); ++q) {
        std::erase_if(found[q], [&](const Neighbour& n) { return n.row == rows[q]; });
        if (found[q].size() > k) found[q].resize(k);
    }
    return found;
}

}  // namespace

std::vector<RecallPoint> Index::State::measure(std::size_t k, MatrixView<const float> queries,
                                               const RunOptions& run) const {
    const RowFilter live(ids.ids(), ids.live());
    const auto search = [&](MatrixView<const float> of, std::size_t n, const auto& finished) {
        const std::size_t least = graph ? std::max(n, kSmallestEf) : 1;
        const std::size_t most = graph ? std::min(kWidest, store.rows()) : lists->count();
        const auto truth = finished(exact_search(store, of, n, live, run));
        return recall_curve(truth, least, most, [&](std::size_t amount) {
            return finished(approximate(of, std::min(n, live.eligible()), amount, live, run));
        });
    };
    if (queries.rows > 0) return search(queries, k, [](Neighbours found) { return found; });
    const auto rows = sampled_rows(live);
    const Matrix stored = as_queries(store, rows);
    return search(stored.view(), k + 1,
                  [&](Neighbours found) { return without_self(std::move(found), rows, k); });
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
        const auto known = calibrations.known(k, store.rows());
        if (!known || known->empty()) return Effort{amount, std::nullopt};
        return Effort{amount, recall_at(*known, amount)};
    }
    const auto point =
        first_reaching(curve(k, {search.threads, search.interrupted}), search.min_recall);
    if (!point) return std::nullopt;
    return Effort{std::max(point->effort, least), point->recall};
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
