#include <set>

#include "search/hnsw_graph.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"
#include "unitvec/error.hpp"
#include "unitvec/normalize.hpp"

using namespace unitvec;

namespace {

constexpr std::size_t kM = 8;

VectorStore stored(std::size_t rows, std::size_t dim, Metric metric = Metric::euclidean,
                   VectorType type = VectorType::float32) {
    VectorStore store(dim, metric, type);
    auto values = random_floats(rows * dim, 1);
    const MatrixView<float> all(values.data(), rows, dim);
    if (metric == Metric::cosine) l2_normalize({values.data(), rows, dim}, all);  // as Index does
    store.append({values.data(), rows, dim});
    return store;
}

void link(HnswGraph& graph, std::size_t threads) {
    RunOptions run;
    run.threads = threads;
    graph.link_stored(run);
}

HnswLinks::FlatView view(const HnswLinks::Flat& flat) {
    return {flat.levels, flat.links, flat.entry, flat.max_level};
}

bool same(const HnswLinks::Flat& a, const HnswLinks::Flat& b) {
    return a.levels == b.levels && a.links == b.links && a.entry == b.entry &&
           a.max_level == b.max_level;
}

/// Rows that a walk along the links of level 0 can reach.
std::size_t reached_from_entry(const HnswLinks& links) {
    std::set<std::uint32_t> met{links.entry()};
    std::vector<std::uint32_t> open{links.entry()};
    while (!open.empty()) {
        const auto row = open.back();
        open.pop_back();
        for (const auto next : links.at(row, 0)) {
            if (next == HnswLinks::kNone) break;
            if (met.insert(next).second) open.push_back(next);
        }
    }
    return met.size();
}

}  // namespace

TEST_CASE("a graph is the same on any number of threads", "[hnsw_graph]") {
    const std::size_t dim = GENERATE(std::size_t{8}, std::size_t{48});  // 48: with codes
    const auto metric = GENERATE(Metric::cosine, Metric::euclidean, Metric::manhattan);
    const auto store = stored(3000, dim, metric);
    HnswGraph alone(store, kM, 32), together(store, kM, 32);
    link(alone, 1);
    link(together, 4);
    CHECK(same(alone.links().flat(), together.links().flat()));
}

TEST_CASE("links lead to other rows on the same level, each once", "[hnsw_graph]") {
    const auto store = stored(3000, 12);
    HnswGraph graph(store, kM, 40);
    link(graph, 0);
    const auto& links = graph.links();
    REQUIRE(links.rows() == 3000);
    std::size_t wrong = 0, above = 0;
    for (std::uint32_t row = 0; row < links.rows(); ++row) {
        above += links.levels(row) > 1;
        for (int level = 0; level < links.levels(row); ++level) {
            std::set<std::uint32_t> seen{row};
            for (const auto to : links.at(row, level)) {
                if (to == HnswLinks::kNone) break;
                wrong += !seen.insert(to).second || links.levels(to) <= level;
            }
        }
    }
    CHECK(wrong == 0);
    CHECK(above > 3000 / kM / 2);  // one in M is on a level above the lowest
    CHECK(above < 3000 / kM * 2);
    CHECK(links.levels(links.entry()) == links.max_level() + 1);
    CHECK(reached_from_entry(links) == 3000);
}

TEST_CASE("rows that come one by one are linked like those that come together", "[hnsw_graph]") {
    auto store = stored(0, 12);
    HnswGraph graph(store, kM, 40);
    const auto values = random_floats(std::size_t{1500} * 12, 1);
    for (std::size_t row = 0; row < 1500; ++row) {
        store.append({values.data() + row * 12, 1, 12});
        link(graph, 1);
    }
    CHECK(graph.rows() == 1500);
    CHECK(reached_from_entry(graph.links()) == 1500);
}

TEST_CASE("codes nominate, the store's kernel decides", "[hnsw_graph]") {
    const auto metric = GENERATE(Metric::cosine, Metric::dot, Metric::euclidean);
    const auto type = GENERATE(VectorType::float32, VectorType::float16, VectorType::int8);
    const std::size_t dim = 40;
    const auto store = stored(1000, dim, metric, type);
    HnswGraph graph(store, kM, 64);
    link(graph, 0);
    const std::vector<Id> ids(1000, 0);
    const RowFilter all(ids, ids.size());
    const auto queries = random_floats(20 * dim, 77'777);
    for (std::size_t q = 0; q < 20; ++q) {
        const float* query = queries.data() + q * dim;
        const auto found = graph.search(query, 10, Breadth(200), all);
        REQUIRE(found.size() == 10);
        for (std::size_t i = 0; i < found.size(); ++i) {
            float exact = 0.0F;
            store.compare(query, nullptr, found[i].row, 1, &exact);
            CHECK(found[i].nearness == exact);
            if (i > 0) CHECK(better(found[i - 1], found[i]));
        }
    }
}

TEST_CASE("a slackened nearness is that of so many times the distance", "[hnsw_graph]") {
    CHECK(slackened(Metric::euclidean, -4.0F, 0.5) == -9.0F);  // of distances 2 and 3, squared
    CHECK(slackened(Metric::manhattan, -4.0F, 0.5) == -6.0F);
    CHECK(slackened(Metric::hamming, -4.0F, 0.5) == -6.0F);
    CHECK(slackened(Metric::dot, 4.0F, 0.5) == -std::numeric_limits<float>::infinity());
    // Vectors of length 1 whose cosine is 0.92 have a distance of 0.4; 0.6 is that of 0.82.
    CHECK(slackened(Metric::cosine, 0.92F, 0.5) == Approx(0.82F).epsilon(1e-5));
    CHECK(slackened(Metric::cosine, 1.0000001F, 0.5) == 1.0F);  // rounded up: no distance
    for (const auto metric : {Metric::cosine, Metric::euclidean, Metric::manhattan}) {
        const float nearness = metric == Metric::cosine ? 0.3F : -0.3F;
        CHECK(slackened(metric, nearness, 0.0) == Approx(nearness).epsilon(1e-5));
    }
}

namespace {

/// Of each query its 10 nearest by a walk of that breadth.
std::vector<std::vector<Neighbour>> walked(const HnswGraph& graph, std::size_t dim,
                                           const Breadth& breadth, std::size_t share = 1) {
    std::vector<Id> ids(graph.rows(), 0);
    for (std::size_t row = 0; row < ids.size(); ++row) {
        if (row % share != 0) ids[row] = kDead;
    }
    const RowFilter some(ids, (ids.size() + share - 1) / share);
    auto queries = random_floats(std::size_t{50} * dim, 77'777);
    l2_normalize({queries.data(), 50, dim}, {queries.data(), 50, dim});
    std::vector<std::vector<Neighbour>> found;
    for (std::size_t q = 0; q < 50; ++q) {
        found.push_back(graph.search(queries.data() + q * dim, 10, breadth, some));
    }
    return found;
}

bool same(const std::vector<Neighbour>& a, const std::vector<Neighbour>& b) {
    return std::ranges::equal(a, b, [](const Neighbour& x, const Neighbour& y) {
        return x.row == y.row && x.nearness == y.nearness;
    });
}

}  // namespace

TEST_CASE("a walk ends early between its narrowest and its widest", "[hnsw_graph]") {
    const auto metric = GENERATE(Metric::cosine, Metric::euclidean, Metric::manhattan, Metric::dot);
    const std::size_t dim = GENERATE(std::size_t{8}, std::size_t{48});  // 48: with codes
    const std::size_t share = GENERATE(std::size_t{1}, std::size_t{3});
    const auto store = stored(4000, dim, metric);
    HnswGraph graph(store, kM, 40);
    link(graph, 0);
    const auto narrow = walked(graph, dim, Breadth(10), share);
    const auto wide = walked(graph, dim, Breadth(150), share);
    const auto tight = walked(graph, dim, {10, 150, 10, 0.0}, share);
    const auto some = walked(graph, dim, {10, 150, 10, 0.1}, share);
    const auto loose = walked(graph, dim, {10, 150, 10, 1e9}, share);
    std::size_t less = 0;
    for (std::size_t q = 0; q < wide.size(); ++q) {
        CHECK(same(loose[q], wide[q]));
        if (metric == Metric::dot) CHECK(same(tight[q], wide[q]));
        less += !same(tight[q], wide[q]);
        for (const auto* early : {&tight[q], &some[q]}) {
            REQUIRE(early->size() == 10);
            for (std::size_t i = 0; i < 10; ++i) {
                CHECK((*early)[i].nearness >= narrow[q][i].nearness);
                CHECK((*early)[i].nearness <= wide[q][i].nearness);
            }
        }
    }
    if (metric != Metric::dot && dim == 48) CHECK(less > 0);  // or nothing has ended
}

TEST_CASE("a restored graph has the same links and goes on as before", "[hnsw_graph]") {
    auto store = stored(700, 40);
    HnswGraph first(store, kM, 40);
    link(first, 1);
    HnswGraph second(store, kM, 40);
    REQUIRE(second.restore(view(first.links().flat())).empty());
    CHECK(same(first.links().flat(), second.links().flat()));
    const auto more = random_floats(std::size_t{100} * 40, 5);
    store.append({more.data(), 100, 40});
    link(first, 1);
    link(second, 2);
    CHECK(same(first.links().flat(), second.links().flat()));
}

TEST_CASE("an empty graph finds nothing", "[hnsw_graph]") {
    const auto store = stored(0, 4);
    HnswGraph graph(store, kM, 40);
    link(graph, 1);
    const RowFilter all({}, 0);
    const float query[4] = {};
    CHECK(graph.search(query, 3, Breadth(10), all).empty());
    CHECK(graph.links().flat().entry == -1);
}

TEST_CASE("graphs of equal vectors hang together", "[hnsw_graph]") {
    VectorStore store(40, Metric::cosine);
    const std::vector<float> values(std::size_t{300} * 40, 0.1F);
    store.append({values.data(), 300, 40});
    HnswGraph graph(store, kM, 40);
    link(graph, 0);
    const std::vector<Id> ids(300, 0);
    const RowFilter all(ids, ids.size());
    CHECK(graph.search(values.data(), 10, Breadth(64), all).size() == 10);
}

TEST_CASE("sketches leave what a walk finds nearly as it was", "[hnsw_graph]") {
    constexpr std::size_t kRows = 4000, kDim = 128, kQueries = 100, kBest = 10;
    const auto metric = GENERATE(Metric::cosine, Metric::dot, Metric::euclidean);
    const auto type = GENERATE(VectorType::float32, VectorType::int8);
    const auto store = stored(kRows, kDim, metric, type);
    HnswGraph graph(store, 16, 64);
    link(graph, 2);
    REQUIRE(graph.sketches() != nullptr);
    CHECK(graph.sketches()->rows() == kRows);
    const auto queries = random_floats(kQueries * kDim, 9);
    const std::vector<Id> ids(kRows, 0);
    const RowFilter all(ids, kRows);
    std::size_t found = 0;
    for (std::size_t i = 0; i < kQueries; ++i) {
        const float* query = queries.data() + i * kDim;
        std::vector<float> nearness(kRows);
        store.compare(query, nullptr, 0, kRows, nearness.data());
        std::ranges::nth_element(nearness, nearness.begin() + kBest - 1, std::greater<>());
        for (const auto& one : graph.search(query, kBest, Breadth(1000), all)) {
            found += one.nearness >= nearness[kBest - 1] ? 1 : 0;
        }
    }
    // Random vectors have no near neighbours: a walk needs a quarter of them all.
    CHECK(found >= kQueries * kBest * 97 / 100);
}

TEST_CASE("rows whose add was undone leave no codes or sketches behind", "[hnsw_graph]") {
    constexpr std::size_t kRows = 3000, kDim = 128;
    const std::size_t linkings = GENERATE(as<std::size_t>{}, 10, 250);
    auto values = random_floats(kRows * kDim, 1), others = random_floats(kRows * kDim, 2);
    VectorStore store(kDim, Metric::euclidean), expected(kDim, Metric::euclidean);
    store.append({values.data(), kRows, kDim});
    HnswGraph graph(store, kM, 32);
    std::size_t checks = 0;
    RunOptions run;
    run.threads = 1;
    run.interrupted = [&] { return ++checks > linkings; };
    CHECK_THROWS_AS(graph.link_stored(run), Interrupted);
    const std::size_t linked = graph.rows();
    CHECK((linked < RowSketches::kCentreRows) == (linkings == 10));
    store.truncate(linked);
    const std::vector<Id> ids(kRows, 0);
    const auto found = [&](const float* rows, std::size_t first, std::size_t count) {
        const RowFilter all({ids.data(), graph.rows()}, graph.rows());
        std::size_t right = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const auto best = graph.search(rows + i * kDim, 1, Breadth(200), all);
            right += best.front().row == first + i ? 1 : 0;
        }
        return right;
    };
    std::size_t row = linked;
    for (const std::size_t count : {std::size_t{40}, std::size_t{1500}}) {
        store.append({others.data() + (row - linked) * kDim, count, kDim});
        link(graph, 1);
        REQUIRE(graph.sketches() != nullptr);
        CHECK(graph.sketches()->rows() == store.rows());
        CHECK(found(others.data() + (row - linked) * kDim, row, count) >= count * 97 / 100);
        row += count;
    }
    CHECK(found(values.data(), 0, linked) >= linked * 97 / 100);
}
