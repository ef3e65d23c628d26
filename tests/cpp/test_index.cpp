#include "unitvec/search/index.hpp"

#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <set>
#include <thread>

#include "support/catch.hpp"
#include "support/random_vectors.hpp"
#include "support/reference_search.hpp"
#include "unitvec/error.hpp"

using namespace unitvec;

namespace {

Metric any_metric() {
    return GENERATE(Metric::cosine, Metric::dot, Metric::euclidean, Metric::manhattan);
}

IndexOptions options(IndexKind kind, Metric metric = Metric::cosine) {
    IndexOptions o;
    o.kind = kind;
    o.metric = metric;
    return o;
}

SearchOptions k_nearest(std::size_t k) {
    SearchOptions o;
    o.k = k;
    return o;
}

/// Share of the k best scores that a search reached (ids may differ in ties).
double recall(Metric metric, MatrixView<const float> vectors, MatrixView<const float> queries,
              const SearchResult& found, std::size_t k) {
    std::size_t hits = 0;
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const auto best = reference::best_scores(metric, vectors, queries.row(q), k);
        for (std::size_t i = 0; i < k; ++i) hits += found.scores.row(q)[i] >= best.back() - 1e-5;
    }
    return static_cast<double>(hits) / static_cast<double>(queries.rows * k);
}

}  // namespace

TEST_CASE("flat search equals the reference for every metric, size and batch", "[index]") {
    const Metric metric = any_metric();
    const std::size_t n =
        GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{9}, std::size_t{1500});
    const std::size_t dim = GENERATE(std::size_t{1}, std::size_t{17}, std::size_t{384});
    const std::size_t nq = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{7});
    INFO(name(metric) << ", n " << n << ", dim " << dim << ", nq " << nq);
    const Vectors x(n, dim, 1), q(nq, dim, 1'000'003);
    Index index(dim, options(IndexKind::flat, metric));
    index.add(x.view);
    const auto found = index.search(q.view, k_nearest(10));
    CHECK(found.exact);
    REQUIRE(found.ids.size() == nq * 10);
    for (std::size_t i = 0; i < nq; ++i) {
        const auto best = reference::best_scores(metric, x.view, q.view.row(i), 10);
        for (std::size_t j = 0; j < 10; ++j) {
            const Id id = found.ids[i * 10 + j];
            if (j >= best.size()) {
                CHECK(id == -1);
                CHECK(found.scores.row(i)[j] == -std::numeric_limits<float>::infinity());
                continue;
            }
            CHECK_THAT(static_cast<double>(found.scores.row(i)[j]), WithinAbs(best[j], 2e-4));
            CHECK_THAT(reference::score(metric, q.view.row(i), x.view.row(static_cast<size_t>(id))),
                       WithinAbs(best[j], 2e-4));
        }
    }
}

TEST_CASE("a query has the same bits alone, in a batch and on any threads", "[index]") {
    const Metric metric = any_metric();
    const IndexKind kind = GENERATE(IndexKind::flat, IndexKind::hnsw);
    const Vectors x(2000, 48, 1), q(33, 48, 1'000'003);
    Index index(48, options(kind, metric));
    index.add(x.view);
    const auto batch = index.search(q.view, k_nearest(5));
    auto three_threads = k_nearest(5);
    three_threads.threads = 3;
    const auto threaded = index.search(q.view, three_threads);
    CHECK(threaded.ids == batch.ids);
    for (std::size_t i = 0; i < q.view.rows; ++i) {
        const auto alone = index.search(q.view.middle_rows(i, 1), k_nearest(5));
        for (std::size_t j = 0; j < 5; ++j) {
            CHECK(alone.ids[j] == batch.ids[i * 5 + j]);
            CHECK(alone.scores.row(0)[j] == batch.scores.row(i)[j]);
        }
    }
}

TEST_CASE("among equal vectors the first added wins, in batches too", "[index]") {
    const Vectors one(1, 24, 1);
    Index index(24, options(IndexKind::flat, any_metric()));
    for (int i = 0; i < 100; ++i) index.add(one.view);
    std::vector<float> queries;
    for (int i = 0; i < 8; ++i) queries.insert(queries.end(), one.values.begin(), one.values.end());
    const auto found = index.search({queries.data(), 8, 24}, k_nearest(3));
    for (std::size_t i = 0; i < 8; ++i) {
        CHECK(std::vector<Id>(found.ids.begin() + static_cast<long>(3 * i),
                              found.ids.begin() + static_cast<long>(3 * i + 3)) ==
              std::vector<Id>{0, 1, 2});
    }
}

TEST_CASE("a large offset does not spoil Euclidean batches", "[index]") {
    // |x|^2 + |q|^2 - 2 x.q loses every digit here; only the re-comparison can order these.
    const std::size_t n = 500, dim = 16;
    Vectors x(n, dim, 1), q(12, dim, 1'000'003);
    for (float& value : x.values) value += 3000.0F;
    for (float& value : q.values) value += 3000.0F;
    Index index(dim, options(IndexKind::flat, Metric::euclidean));
    index.add(x.view);
    const auto found = index.search(q.view, k_nearest(5));
    for (std::size_t i = 0; i < 12; ++i) {
        const auto best = reference::best_scores(Metric::euclidean, x.view, q.view.row(i), 5);
        for (std::size_t j = 0; j < 5; ++j) {
            CHECK_THAT(static_cast<double>(found.scores.row(i)[j]), WithinAbs(best[j], 1e-5));
        }
    }
}

TEST_CASE("hnsw finds nearly all neighbours", "[index]") {
    const Metric metric = any_metric();
    const Vectors x(4000, 24, 1), q(50, 24, 1'000'003);
    Index index(24, options(IndexKind::hnsw, metric));
    index.add(x.view);
    const auto found = index.search(q.view, k_nearest(10));
    CHECK_FALSE(found.exact);
    INFO(name(metric));
    CHECK(recall(metric, x.view, q.view, found, 10) >= 0.9);  // uniform noise: the hardest data
    auto wide = k_nearest(10);
    wide.ef_search = 500;
    CHECK(recall(metric, x.view, q.view, index.search(q.view, wide), 10) >= 0.99);
    wide.exact = true;
    const auto exact = index.search(q.view, wide);
    CHECK(exact.exact);
    CHECK(recall(metric, x.view, q.view, exact, 10) == 1.0);
}

TEST_CASE("hnsw grows in place and finds vectors added later", "[index]") {
    const Vectors x(3000, 16, 1);
    Index index(16, options(IndexKind::hnsw));
    for (std::size_t first = 0; first < 3000; first += 500) {
        index.add(x.view.middle_rows(first, 500));
    }
    const auto found = index.search(x.view, k_nearest(1));
    std::size_t itself = 0;
    for (std::size_t i = 0; i < 3000; ++i) itself += found.ids[i] == static_cast<Id>(i);
    CHECK(itself >= 2970);
}

TEST_CASE("auto scans until the threshold and builds a graph there", "[index]") {
    auto o = options(IndexKind::automatic);
    o.automatic_threshold = 300;
    Index index(8, o);
    const Vectors x(300, 8, 1);
    index.add(x.view.middle_rows(0, 299));
    CHECK(index.stats().kind == IndexKind::flat);
    index.add(x.view.middle_rows(299, 1));
    CHECK(index.stats().kind == IndexKind::hnsw);
    CHECK(index.search(x.view.middle_rows(299, 1), k_nearest(1)).ids[0] == 299);
}

TEST_CASE("removed vectors are not found, and a fifth of them dead is cleared away", "[index]") {
    const IndexKind kind = GENERATE(IndexKind::flat, IndexKind::hnsw);
    const std::size_t removed =
        GENERATE(std::size_t{1}, std::size_t{200}, std::size_t{999}, std::size_t{1000});
    const Vectors x(1000, 12, 1);
    Index index(12, options(kind));
    index.add(x.view);
    std::vector<Id> gone(removed);
    std::iota(gone.begin(), gone.end(), Id{0});
    index.remove(gone);
    CHECK(index.size() == 1000 - removed);
    CHECK(index.stats().dead * 5 <= 1000);
    const auto found = index.search(x.view, k_nearest(3));
    for (std::size_t i = 0; i < found.ids.size(); ++i) {
        const bool dead = found.ids[i] >= 0 && found.ids[i] < static_cast<Id>(removed);
        CHECK_FALSE(dead);
    }
    // Always k results where k exist.
    const auto live = std::min<std::size_t>(3, 1000 - removed);
    for (std::size_t q = 0; q < 1000; ++q) {
        CHECK((live == 0 || found.ids[q * 3 + live - 1] != -1));
    }
    // An id is free again once removed, and is not given out by itself.
    index.add(x.view.middle_rows(0, 1), std::vector<Id>{0});
    CHECK(index.add(x.view.middle_rows(1, 1)).front() == 1000);
}

TEST_CASE("dead vectors stay where they are if asked, and are not found", "[index]") {
    const Vectors x(1000, 12, 1);
    Index index(12, options(IndexKind::hnsw));
    index.add(x.view);
    std::vector<Id> gone(900);
    std::iota(gone.begin(), gone.end(), Id{0});
    index.remove(gone, {.clear_dead = false});
    CHECK(index.stats().dead == 900);
    const auto found = index.search(x.view, k_nearest(3));
    CHECK(std::ranges::all_of(found.ids, [](Id id) { return id >= 900; }));
    index.remove(std::vector<Id>{900});
    CHECK(index.stats().dead == 0);
}

TEST_CASE("allowed_ids finds the best among the allowed, whatever their share", "[index]") {
    const IndexKind kind = GENERATE(IndexKind::flat, IndexKind::hnsw);
    const std::size_t every =
        GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{10}, std::size_t{1000});
    const Vectors x(12000, 16, 1), q(10, 16, 1'000'003);
    Index index(16, options(kind, Metric::euclidean));
    index.add(x.view);
    std::vector<Id> allowed{77777, -5};  // unknown ids never match
    std::vector<float> kept;
    for (std::size_t i = 0; i < 12000; i += every) {
        allowed.push_back(static_cast<Id>(i));
        kept.insert(kept.end(), x.view.row(i).begin(), x.view.row(i).end());
    }
    allowed.push_back(0);  // twice
    auto o = k_nearest(10);
    o.allowed_ids = allowed;
    const auto found = index.search(q.view, o);
    for (const Id id : found.ids) CHECK(id % static_cast<Id>(every) == 0);
    INFO("every " << every);
    CHECK(recall(Metric::euclidean, {kept.data(), kept.size() / 16, 16}, q.view, found, 10) >=
          0.97);
    // Ascending ids take another way through the index, to the same answer.
    std::ranges::sort(allowed);
    CHECK(index.search(q.view, o).ids == found.ids);
    // Marks leave out ids, as if they had not been given.
    const bool sorted = GENERATE(true, false);
    std::vector<Id> some(13000);
    std::iota(some.begin(), some.end(), -500);
    some.push_back(0);  // twice
    if (!sorted) std::swap(some[700], some[9000]);
    const auto marks = std::make_unique<bool[]>(some.size());
    for (std::size_t i = 0; i < some.size(); ++i) {
        marks[i] = std::ranges::binary_search(allowed, some[i]);
    }
    o.allowed_ids = some;
    o.allowed_marks = std::span<const bool>(marks.get(), some.size());
    CHECK(index.search(q.view, o).ids == found.ids);
    o.allowed_marks = std::span<const bool>(marks.get(), some.size() - 1);
    CHECK_THROWS_AS(index.search(q.view, o), std::invalid_argument);
    o.allowed_marks = std::nullopt;
    o.allowed_ids = std::span<const Id>{};
    for (const Id id : index.search(q.view, o).ids) CHECK(id == -1);
}

TEST_CASE("an early end that says nothing is refused", "[index]") {
    const Vectors x(200, 12, 1);
    Index index(12, options(IndexKind::hnsw, Metric::cosine));
    index.add(x.view);
    SearchOptions o;
    o.early_end =
        GENERATE(EarlyEnd{5, 0, 0.1}, EarlyEnd{5, 10, -0.1}, EarlyEnd{5, 10, std::nan("")});
    CHECK_THROWS_WITH(index.search(x.view, o), ContainsSubstring("early_end with k of at least 1"));
    o.early_end = EarlyEnd{5, 10, 0.1};
    CHECK(index.search(x.view, o).ids.size() == 2000);
    o.min_recall = 0.9;
    CHECK_THROWS_WITH(index.search(x.view, o), ContainsSubstring("min_recall or early_end"));
}

TEST_CASE("range_search returns everything within the score, and nothing else", "[index]") {
    const Metric metric = any_metric();
    const Vectors x(800, 12, 1), q(5, 12, 1'000'003);
    Index index(12, options(GENERATE(IndexKind::flat, IndexKind::hnsw), metric));
    index.add(x.view);
    const auto reference_scores = reference::best_scores(metric, x.view, q.view.row(0), 40);
    const auto limit = static_cast<float>((reference_scores[20] + reference_scores[21]) / 2);
    const auto found = index.range_search(q.view, limit, {});
    REQUIRE(found.offsets.size() == 6);
    CHECK(found.offsets[1] == 21);
    for (std::size_t i = 0; i < found.offsets[1]; ++i) {
        CHECK_THAT(static_cast<double>(found.scores[i]), WithinAbs(reference_scores[i], 1e-4));
    }
    CHECK_THROWS_AS(index.range_search(q.view, std::nanf(""), {}), std::invalid_argument);
}

TEST_CASE("a range of distance 0 holds the vector itself", "[index]") {
    const Vectors x(50, 12, 1);
    Index index(12, options(IndexKind::flat, GENERATE(Metric::euclidean, Metric::manhattan)));
    index.add(x.view);
    const auto found = index.range_search(x.view.middle_rows(7, 1), 0.0F, {});
    CHECK(found.ids == std::vector<Id>{7});
}

TEST_CASE("a bad batch is refused by its row and changes nothing", "[index]") {
    const Vectors x(4, 3, 1);
    Index index(3, options(GENERATE(IndexKind::flat, IndexKind::hnsw)));
    index.add(x.view.middle_rows(0, 2), std::vector<Id>{5, 6});
    auto bad = x.values;
    bad[4] = std::numeric_limits<float>::quiet_NaN();
    const MatrixView<const float> nan{bad.data(), 4, 3};
    CHECK_THROWS_WITH(index.add(nan), ContainsSubstring("row 1, column 1"));
    std::vector<float> zero(12, 1.0F);
    std::fill_n(zero.begin() + 6, 3, 0.0F);
    CHECK_THROWS_WITH(index.add({zero.data(), 4, 3}), ContainsSubstring("in row 2"));
    CHECK_THROWS_WITH(index.add({bad.data(), 3, 4}), ContainsSubstring("dimension 3, got 4"));
    const auto two = x.view.middle_rows(2, 2);
    CHECK_THROWS_WITH(index.add(two, std::vector<Id>{7, 6}), ContainsSubstring("6 in row 1"));
    CHECK_THROWS_WITH(index.add(two, std::vector<Id>{7, 7}), ContainsSubstring("7 in row 1 again"));
    CHECK_THROWS_WITH(index.add(two, std::vector<Id>{7, -1}), ContainsSubstring("-1 in row 1"));
    CHECK_THROWS_WITH(index.add(two, std::vector<Id>{7}), ContainsSubstring("2 ids"));
    CHECK_THROWS_WITH(index.remove(std::vector<Id>{5, 9}), ContainsSubstring("9 in row 1"));
    CHECK_THROWS_WITH(index.remove(std::vector<Id>{5, 5}), ContainsSubstring("again"));
    CHECK_THROWS_WITH(index.search(two, k_nearest(0)), "[search] expected k of at least 1, got 0");
    CHECK_THROWS_WITH(index.search(nan, k_nearest(1)), ContainsSubstring("row 1"));
    CHECK_THROWS_WITH(index.reconstruct(std::vector<Id>{8}), ContainsSubstring("got 8"));
    CHECK(index.size() == 2);
    CHECK(index.ids() == std::vector<Id>{5, 6});
    CHECK(index.add(x.view.middle_rows(2, 1)).front() == 7);
}

TEST_CASE("vectors whose squares overflow are refused, except under cosine", "[index]") {
    const std::vector<float> large(4, 1e19F);
    const MatrixView<const float> view{large.data(), 1, 4};
    for (const auto metric : {Metric::dot, Metric::euclidean, Metric::manhattan}) {
        Index index(4, options(IndexKind::flat, metric));
        CHECK_THROWS_WITH(index.add(view), ContainsSubstring("length at most 1e18"));
    }
    Index index(4, options(IndexKind::flat));
    index.add(view);
    CHECK(index.search(view, k_nearest(1)).scores.row(0)[0] == 1.0F);
}

TEST_CASE("a zero query scores 0 under cosine", "[index]") {
    const Vectors x(10, 4, 1);
    Index index(4, options(GENERATE(IndexKind::flat, IndexKind::hnsw)));
    index.add(x.view);
    const std::vector<float> zero(4, 0.0F);
    const auto found = index.search({zero.data(), 1, 4}, k_nearest(3));
    for (std::size_t i = 0; i < 3; ++i) CHECK(found.scores.row(0)[i] == 0.0F);
}

TEST_CASE("an index refuses options out of range", "[index]") {
    CHECK_THROWS_WITH(Index(0, {}), ContainsSubstring("expected dim from 1"));
    auto o = options(IndexKind::hnsw);
    o.M = 1;
    CHECK_THROWS_WITH(Index(3, o), ContainsSubstring("expected M from 2"));
    CHECK_THROWS_WITH(
        parse_index_kind("tree"),
        ContainsSubstring("\"flat\", \"hnsw\", \"ivf\", \"ivfpq\", \"auto\", got \"tree\""));
    CHECK_THROWS_WITH(parse_metric("l2"), ContainsSubstring("\"euclidean\""));
}

TEST_CASE("an interrupted add leaves the index as it was", "[index]") {
    const IndexKind kind = GENERATE(IndexKind::hnsw, IndexKind::automatic);
    const Vectors x(9000, 8, 1);
    auto o = options(kind);
    o.automatic_threshold = 1000;
    Index index(8, o);
    index.add(x.view.middle_rows(0, 900));
    int asked = 0;
    AddOptions interrupting;
    interrupting.interrupted = [&] { return ++asked == 2; };  // after the first 4,096 are linked
    CHECK_THROWS_AS(index.add(x.view.middle_rows(900, 8100), std::nullopt, interrupting),
                    Interrupted);
    CHECK(index.size() == 900);
    const auto before = index.search(x.view.middle_rows(0, 50), k_nearest(900));
    for (const Id id : before.ids) CHECK((id >= 0 && id < 900));
    CHECK(index.add(x.view.middle_rows(900, 8100)).front() == 900);
    const auto after = index.search(x.view.middle_rows(8999, 1), k_nearest(1));
    CHECK(after.ids[0] == 8999);
}

TEST_CASE("searches run beside a writer and see whole batches", "[index]") {
    const std::size_t batch = 64;
    const Vectors x(batch * 20, 8, 1);
    Index index(8, options(GENERATE(IndexKind::flat, IndexKind::hnsw)));
    std::atomic<bool> done = false;
    std::atomic<int> torn = 0;
    std::vector<std::jthread> searchers;
    for (int t = 0; t < 3; ++t) {
        searchers.emplace_back([&] {
            while (!done) {
                auto all = k_nearest(batch * 20);
                all.exact = true;
                all.threads = 1;
                const auto found = index.search(x.view.middle_rows(0, 1), all);
                const auto seen = std::ranges::count_if(found.ids, [](Id id) { return id >= 0; });
                if (seen % static_cast<long>(batch) != 0) ++torn;
            }
        });
    }
    for (std::size_t i = 0; i < 20; ++i) index.add(x.view.middle_rows(i * batch, batch));
    done = true;
    searchers.clear();
    CHECK(torn == 0);
    CHECK(index.size() == batch * 20);
}
