#include <set>

#include "search/hnsw_graph.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"

using namespace unitvec;

namespace {

constexpr std::size_t kM = 8;

VectorStore stored(std::size_t rows, std::size_t dim, Metric metric = Metric::euclidean,
                   VectorType type = VectorType::float32) {
    VectorStore store(dim, metric, type);
    const auto values = random_floats(rows * dim, 1);
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
        const auto found = graph.search(query, 10, 200, all);
        REQUIRE(found.size() == 10);
        for (std::size_t i = 0; i < found.size(); ++i) {
            float exact = 0.0F;
            store.compare(query, nullptr, found[i].row, 1, &exact);
            CHECK(found[i].nearness == exact);
            if (i > 0) CHECK(better(found[i - 1], found[i]));
        }
    }
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
    CHECK(graph.search(query, 3, 10, all).empty());
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
    CHECK(graph.search(values.data(), 10, 64, all).size() == 10);
}
