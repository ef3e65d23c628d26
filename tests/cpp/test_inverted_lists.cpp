#include "search/inverted_lists.hpp"

#include <algorithm>

#include "support/catch.hpp"
#include "support/random_vectors.hpp"
#include "unitvec/error.hpp"
#include "unitvec/search/index.hpp"

using namespace unitvec;

namespace {

constexpr std::size_t kDim = 12;

IndexOptions lists(IndexKind kind) {
    IndexOptions options;
    options.kind = kind;
    options.nlist = 20;
    options.nprobe = 5;
    return options;
}

SearchOptions search_options(bool exact) {
    SearchOptions options;
    options.exact = exact;
    return options;
}

/// Share of what exact search finds.
double recall(const Index& index, MatrixView<const float> queries) {
    const auto found = index.search(queries, search_options(false));
    const auto best = index.search(queries, search_options(true));
    std::size_t hits = 0;
    for (std::size_t q = 0; q < queries.rows; ++q) {
        const auto row = found.scores.row(q);
        hits += static_cast<std::size_t>(std::ranges::count_if(
            row, [&](float score) { return score >= best.scores.row(q).back(); }));
    }
    return static_cast<double>(hits) / static_cast<double>(best.ids.size());
}

}  // namespace

TEST_CASE("an add that is interrupted anywhere leaves lists as they were", "[inverted_lists]") {
    const auto options = lists(GENERATE(IndexKind::ivf, IndexKind::ivfpq));
    const Vectors x(9000, kDim, 1), queries(20, kDim, 2);
    const std::size_t before = GENERATE(500u, 2000u);  // without lists; with, to be learnt anew
    Index index(kDim, options), calm(kDim, options);
    index.add(x.view.middle_rows(0, before));
    calm.add(x.view.middle_rows(0, before));
    const auto expected = index.search(queries.view, search_options(true));
    bool interrupted = true;
    for (int when = 1; interrupted; when += when / 2 + 1) {
        INFO("asked " << when << " times");
        int asked = 0;
        const AddOptions interrupting{2, [&] { return ++asked == when; }};
        try {
            index.add(x.view.middle_rows(before, 9000 - before), std::nullopt, interrupting);
            interrupted = false;
        } catch (const Interrupted&) {
            REQUIRE(index.size() == before);
            const auto found = index.search(queries.view, search_options(true));
            REQUIRE(found.ids == expected.ids);
            const auto near = index.search(queries.view, search_options(false));
            REQUIRE(std::ranges::all_of(
                near.ids, [&](Id id) { return id >= 0 && id < static_cast<Id>(before); }));
        }
    }
    calm.add(x.view.middle_rows(before, 9000 - before));
    CHECK(index.stats().lists == 20);
    const auto found = index.search(queries.view, search_options(true));
    CHECK(found.ids == calm.search(queries.view, search_options(true)).ids);
    CHECK(recall(index, queries.view) > recall(calm, queries.view) - 0.1);
}

TEST_CASE("lists with codes drop rows and keep the codes of the others", "[inverted_lists]") {
    const Metric metric = GENERATE(Metric::cosine, Metric::dot, Metric::euclidean);
    constexpr std::size_t kRows = 600, kM = 5;
    const Vectors x(kRows, kDim, 1);
    VectorStore store(kDim, metric);
    store.append(x.view);
    InvertedLists lists(store, ListCoding::product, kM);
    lists.train(8, {});
    lists.assign_stored({});
    const auto codes = lists.codes();
    REQUIRE(codes.size() == kRows * kM);

    lists.truncate(500);
    store.truncate(500);
    CHECK(std::ranges::equal(lists.codes(), std::span(codes).first(500 * kM)));
    std::vector<std::uint32_t> kept;
    for (std::uint32_t row = 0; row < 500; row += 3) kept.push_back(row);
    store.keep(kept);
    lists.keep(kept);
    const auto left = lists.codes();
    REQUIRE(left.size() == kept.size() * kM);
    for (std::size_t i = 0; i < kept.size(); ++i) {
        CHECK(std::equal(left.begin() + static_cast<long>(i * kM),
                         left.begin() + static_cast<long>((i + 1) * kM),
                         codes.begin() + static_cast<long>(kept[i] * kM)));
    }

    InvertedLists restored(store, ListCoding::product, kM);
    CHECK(restored.restore(lists.parts(), left).empty());
    CHECK(restored.codes() == left);
    const std::vector<Id> ids(kept.size(), 1);
    const RowFilter all(ids, ids.size());
    for (std::size_t i = 0; i < 10; ++i) {
        const float* query = x.view.row(i + 500).data();
        const auto ours = lists.search(query, 5, 3, all),
                   theirs = restored.search(query, 5, 3, all);
        REQUIRE(ours.size() == theirs.size());
        for (std::size_t j = 0; j < ours.size(); ++j) CHECK(ours[j].row == theirs[j].row);
    }
    CHECK(restored.restore(lists.parts(), std::span(left).first(left.size() - 1)) ==
          "expected a code for each row");
}
