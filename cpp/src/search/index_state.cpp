#include "search/index_state.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cgroup.hpp"
#include "search/product_search.hpp"
#include "unitvec/error.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kQueriesAtOnce = 256;  // between two looks at the interrupt
constexpr std::size_t kGrain = 4;            // queries a thread takes at a time

/// The share of rows that a search may return.
double share_of(const RowFilter& filter, std::size_t rows) {
    return static_cast<double>(filter.eligible()) /
           static_cast<double>(std::max<std::size_t>(rows, 1));
}

/// A walk meets about 30 rows for each candidate it keeps, and 1/share as many to keep only a share
/// of them; a scan of the share compares it once. Where the scan compares less, it is also exact.
bool scan_beats_walk(const RowFilter& filter, std::size_t rows, std::size_t ef) {
    constexpr double kMetPerKept = 30.0;
    const auto eligible = static_cast<double>(filter.eligible());
    return eligible * share_of(filter, rows) < kMetPerKept * static_cast<double>(ef);
}

}  // namespace

RowFilter Index::State::filter(const SearchOptions& search) const {
    RowFilter filter(ids.ids(), ids.live());
    if (!search.allowed_ids) return filter;
    filter.allow_none();
    const auto allowed = *search.allowed_ids;
    if (!search.allowed_marks) {
        ids.for_each_row(allowed, [&](std::uint32_t row) { filter.allow(row); });
        return filter;
    }
    const auto marks = *search.allowed_marks;
    if (marks.size() != allowed.size()) {
        throw_invalid("search", "a mark for each of " + std::to_string(allowed.size()) + " ids",
                      std::to_string(marks.size()));
    }
    ids.allow_marked(allowed, marks, filter);
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

std::size_t Index::State::code_bytes() const {
    if (lists) return lists->code_bytes();
    return graph ? graph->code_bytes() : 0;
}

IndexKind Index::State::kind_in_use() const {
    if (options.kind != IndexKind::automatic) return options.kind;
    if (lists) return IndexKind::ivf;
    return graph ? IndexKind::hnsw : IndexKind::flat;
}

IndexKind Index::State::kind_wanted() const {
    if (options.kind != IndexKind::automatic || lists) return kind_in_use();
    if (!graph && ids.live() < options.automatic_threshold) return IndexKind::flat;
    if (graph_fits()) return IndexKind::hnsw;
    return has_products(options.metric) ? IndexKind::ivf : IndexKind::flat;
}

bool Index::State::graph_fits() const {
    static const std::size_t usable = usable_memory();  // read from files: not at each add
    const std::size_t most = options.max_memory == 0 ? usable : options.max_memory;
    const std::size_t bytes = store.bytes() + store.mapped_bytes() + ids.bytes();
    return bytes + HnswGraph::expected_bytes(store, options.M) <= most;
}

template <typename Work>
void Index::State::whole_or_dropped(const Work& work) {
    try {
        work();
    } catch (const Interrupted&) {
        throw;
    } catch (...) {
        graph.reset();
        lists.reset();
        calibrations.forget();
        throw;
    }
}

void Index::State::build(const RunOptions& run) {
    const IndexKind kind = kind_wanted();
    if (kind != IndexKind::hnsw && graph) {  // it has grown out of the memory that it may take
        calibrations.forget();
        graph.reset();
    }
    whole_or_dropped([&] {
        if (kind == IndexKind::hnsw) build_graph(run);
        if (has_lists(kind)) build_lists(run);
    });
}

void Index::State::train(MatrixView<const float> vectors, std::size_t count,
                         const RunOptions& run) {
    whole_or_dropped([&] {
        make_lists();
        lists->train(vectors, count, run);
        calibrations.forget();
        lists->assign_stored(run);
    });
}

void Index::State::make_lists() {
    // `automatic` has lists where memory is too short for more.
    const auto coding = options.kind == IndexKind::ivfpq ? ListCoding::product
                        : options.kind == IndexKind::ivf ? ListCoding::eight_bit
                                                         : ListCoding::none;
    if (!lists) lists = std::make_unique<InvertedLists>(store, coding, options.pq_m);
}

void Index::State::build_lists(const RunOptions& run) {
    make_lists();
    const auto learn = [&] {
        const std::size_t usual = InvertedLists::usual_count(store.rows());
        lists->train(options.nlist == 0 ? usual : options.nlist, run);
    };
    if (!lists->trained()) {
        if (store.rows() < std::max(InvertedLists::kLeast, options.nlist)) return;
        learn();
    }
    lists->assign_stored(run);
    if (!lists->have_drifted()) return;
    learn();
    lists->assign_stored(run);
    calibrations.forget();
}

void Index::State::build_graph(const RunOptions& run) {
    if (!graph) graph = std::make_unique<HnswGraph>(store, options.M, options.ef_construction);
    graph->link_stored(run);
}

void Index::State::undo_add(std::size_t rows) {
    if (lists) lists->truncate(rows);
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
    store.own();  // before anything changes: it may run out of memory
    const auto kept = ids.compact();
    store.keep(kept);
    whole_or_dropped([&] {
        if (lists) lists->keep(kept);
    });
    build(run);
}

std::optional<Breadth> Index::State::breadth_for(const RowFilter& filter,
                                                 const Breadth& breadth) const {
    if (graph) {
        if (scan_beats_walk(filter, store.rows(), breadth.usual())) return std::nullopt;
        return breadth;
    }
    // The nearest of a share of the rows lie in as many more lists.
    const double share = share_of(filter, store.rows());
    const double wider = std::ceil(static_cast<double>(breadth.most) / std::max(share, 1e-9));
    if (wider >= static_cast<double>(lists->count())) return std::nullopt;
    return Breadth(static_cast<std::size_t>(wider));
}

Neighbours Index::State::approximate(MatrixView<const float> queries, std::size_t k,
                                     const Breadth& breadth, const RowFilter& filter, bool whole,
                                     const RunOptions& run) const {
    Neighbours found(queries.rows);
    for (std::size_t first = 0; first < queries.rows; first += kQueriesAtOnce) {
        run.check();
        const std::size_t count = std::min(kQueriesAtOnce, queries.rows - first);
        parallel_for(count, kGrain, run.threads, [&](std::size_t begin, std::size_t end) {
            for (std::size_t q = first + begin; q < first + end; ++q) {
                const float* query = queries.row(q).data();
                found[q] = graph ? graph->search(query, k, breadth, filter)
                                 : lists->search(query, k, breadth.most, filter);
                // Too few were met: parts of a graph may hang together through dead rows, and lists
                // may be short.
                if (whole && found[q].size() < k) found[q] = scan_one(store, query, k, filter);
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
    const bool whole = has_whole_graph() || has_whole_lists();
    // Nothing is measured where a scan is as good however narrow the search may be.
    if (!search.exact && whole && breadth_for(filter, Breadth(graph ? k : 1))) {
        const auto chosen = effort(search, k);
        const auto breadth = chosen ? breadth_for(filter, chosen->breadth) : std::nullopt;
        if (breadth) {
            return {approximate(queries, k, *breadth, filter, true, run), false, chosen->recall};
        }
    }
    return {exact_search(store, queries, k, filter, run), true, 1.0};
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
