#include "search/index_state.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "search/product_search.hpp"
#include "unitvec/error.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kQueriesAtOnce = 256;  // between two looks at the interrupt
constexpr std::size_t kGrain = 4;            // queries a thread takes at a time

/// A walk meets about 30 rows for each candidate it keeps, and 1/share as many to keep only a share
/// of them; a scan of the share compares it once. Where the scan compares less, it is also exact.
bool scan_is_cheaper(const RowFilter& filter, std::size_t rows, std::size_t ef) {
    constexpr double kMetPerKept = 30.0;
    const double eligible = static_cast<double>(filter.eligible());
    const double share = eligible / static_cast<double>(std::max<std::size_t>(rows, 1));
    return eligible * share < kMetPerKept * static_cast<double>(ef);
}

}  // namespace

RowFilter Index::State::filter(const SearchOptions& search) const {
    RowFilter filter(ids.ids(), ids.live());
    if (!search.allowed_ids) return filter;
    filter.allow_none();
    for (const Id id : *search.allowed_ids) {
        if (const auto row = ids.find(id)) filter.allow(*row);
    }
    return filter;
}

std::vector<std::uint32_t> Index::State::rows_of(std::span<const Id> wanted) const {
    std::vector<std::uint32_t> rows;
    rows.reserve(wanted.size());
    for (const Id id : wanted) {
        const auto row = ids.find(id);
        if (!row) throw_invalid("reconstruct", "ids that the index holds", std::to_string(id));
        rows.push_back(*row);
    }
    return rows;
}

bool Index::State::wants_graph(std::size_t live) const {
    if (options.kind == IndexKind::automatic) return graph || live >= options.automatic_threshold;
    return options.kind == IndexKind::hnsw;
}

void Index::State::build_graph(const RunOptions& run) {
    if (!graph) graph = std::make_unique<HnswGraph>(store, options.M, options.ef_construction);
    graph->link_stored(run);
}

void Index::State::undo_add(std::size_t rows) {
    if (!graph || graph->rows() <= rows) {
        ids.truncate(rows);
        store.truncate(rows);
        return;
    }
    // Some of the new vectors are linked: they stay as dead rows, and the others leave.
    const std::size_t linked = graph->rows();
    ids.truncate(linked);
    store.truncate(linked);
    std::vector<std::uint32_t> added;
    for (std::size_t row = rows; row < linked; ++row) {
        added.push_back(static_cast<std::uint32_t>(row));
    }
    ids.mark_dead(added);
}

void Index::State::compact(const RunOptions& run) {
    graph.reset();
    calibrations.forget();
    const auto kept = ids.compact();
    store.keep(kept);
    if (wants_graph(ids.live())) build_graph(run);
}

Neighbours Index::State::walk(MatrixView<const float> queries, std::size_t k, std::size_t ef,
                              const RowFilter& filter, const RunOptions& run) const {
    Neighbours found(queries.rows);
    for (std::size_t first = 0; first < queries.rows; first += kQueriesAtOnce) {
        run.check();
        const std::size_t count = std::min(kQueriesAtOnce, queries.rows - first);
        parallel_for(count, kGrain, run.threads, [&](std::size_t begin, std::size_t end) {
            for (std::size_t q = first + begin; q < first + end; ++q) {
                const float* query = queries.row(q).data();
                found[q] = graph->search(query, k, ef, filter);
                // The walk met too few: parts of the graph may hang together through dead rows.
                if (found[q].size() < k) found[q] = scan_one(store, query, k, filter);
            }
        });
    }
    return found;
}

Index::State::Found Index::State::nearest(MatrixView<const float> queries,
                                          const SearchOptions& search,
                                          const RowFilter& filter) const {
    const RunOptions run{search.threads, search.interrupted};
    const std::size_t k = std::min(search.k, filter.eligible());
    const bool scan = scan_is_cheaper(filter, store.rows(), k);  // however narrow a walk may be
    const auto chosen = scan ? std::nullopt : effort(search, k);
    if (!chosen || scan_is_cheaper(filter, store.rows(), chosen->ef)) {
        return {exact_search(store, queries, k, filter, run), true, 1.0};
    }
    return {walk(queries, k, chosen->ef, filter, run), false, chosen->recall};
}

SearchResult Index::State::to_result(const Found& found, std::size_t k) const {
    const std::size_t queries = found.neighbours.size();
    SearchResult result{Matrix(queries, k), std::vector<Id>(queries * k, kDead), found.exact,
                        found.recall};
    std::fill_n(result.scores.data(), queries * k, -std::numeric_limits<float>::infinity());
    for (std::size_t q = 0; q < queries; ++q) {
        const auto& row = found.neighbours[q];
        for (std::size_t i = 0; i < row.size(); ++i) {
            result.scores.row(q)[i] = score_of(store.metric(), row[i].nearness);
            result.ids[q * k + i] = ids.ids()[row[i].row];
        }
    }
    return result;
}

}  // namespace unitvec
