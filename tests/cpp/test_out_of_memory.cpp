#include <algorithm>
#include <filesystem>
#include <numeric>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/random_vectors.hpp"
#include "unitvec/search/index.hpp"

using namespace unitvec;

namespace {

constexpr std::size_t kDim = 33;  // enough for 8-bit codes
constexpr Id kBefore = 1200;

Index empty_index(IndexKind kind) {
    IndexOptions options;
    options.kind = kind;
    options.M = 8;
    options.nlist = 20;
    options.pq_m = 3;
    return {kDim, options};
}

SearchResult search(const Index& index, const Vectors& queries, bool exact) {
    SearchOptions options;
    options.exact = exact;
    options.threads = 1;
    return index.search(queries.view, options);
}

/// Calls work() with its n-th allocation failing, for ever larger n until it succeeds.
/// @param check  what must hold after each failure
template <typename Work, typename Check>
void fail_everywhere(const Work& work, const Check& check) {
    bool failed = true;
    for (std::size_t n = 1; failed; n += 1 + n / 8) {
        INFO("allocation " << n << " fails");
        try {
            const FailingAllocation failing(n);
            work();
            failed = false;
        } catch (const std::bad_alloc&) {
        }
        if (failed) check();
    }
}

}  // namespace

TEST_CASE("an add that runs out of memory anywhere leaves the index as it was", "[out_of_memory]") {
    const auto kind = GENERATE(IndexKind::flat, IndexKind::hnsw, IndexKind::ivf, IndexKind::ivfpq);
    const Vectors x(kBefore + 700, kDim, 1), queries(10, kDim, 2);
    auto index = empty_index(kind);
    index.add(x.view.middle_rows(0, kBefore), std::nullopt, {1, {}});
    const auto expected = search(index, queries, true);
    const auto add = [&] { index.add(x.view.middle_rows(kBefore, 700), std::nullopt, {1, {}}); };
    fail_everywhere(add, [&] {
        REQUIRE(index.size() == kBefore);
        REQUIRE(search(index, queries, true).ids == expected.ids);
        const auto near = search(index, queries, false);
        REQUIRE(std::ranges::all_of(near.ids, [](Id id) { return id >= 0 && id < kBefore; }));
    });
    auto calm = empty_index(kind);
    calm.add(x.view, std::nullopt, {1, {}});
    CHECK(index.size() == calm.size());
    CHECK(search(index, queries, true).ids == search(calm, queries, true).ids);
    CHECK(index.stats().dead < kBefore);
}

TEST_CASE("a removal that runs out of memory anywhere removes, and loses nothing else",
          "[out_of_memory]") {
    const auto kind = GENERATE(IndexKind::flat, IndexKind::hnsw, IndexKind::ivf, IndexKind::ivfpq);
    const bool mapped = GENERATE(false, true);
    const Vectors x(kBefore, kDim, 1), queries(10, kDim, 2);
    const auto path = std::filesystem::temp_directory_path() / "unitvec_out_of_memory.index";
    {
        auto whole = empty_index(kind);
        whole.add(x.view, std::nullopt, {1, {}});
        whole.save(path);
    }
    std::vector<Id> gone(kBefore / 3);
    std::iota(gone.begin(), gone.end(), Id{5});
    auto calm = Index::load(path, false);
    calm.remove(gone, {1, {}});
    const auto expected = search(calm, queries, true);

    auto index = Index::load(path, mapped);
    const auto remove = [&] {
        index = Index::load(path, mapped);
        index.remove(gone, {1, {}});
    };
    fail_everywhere(remove, [&] {
        const bool removed = index.size() < kBefore;
        REQUIRE(index.size() == (removed ? kBefore - gone.size() : kBefore));
        if (!removed) return;
        REQUIRE(search(index, queries, true).ids == expected.ids);
        const auto near = search(index, queries, false);
        REQUIRE(std::ranges::none_of(near.ids, [&](Id id) {
            return id < 0 || id >= kBefore || std::ranges::binary_search(gone, id);
        }));
        const auto added = index.add(queries.view, std::nullopt, {1, {}});
        REQUIRE(search(index, queries, true).ids[0] == added[0]);
    });
    CHECK(search(index, queries, true).ids == expected.ids);
    std::filesystem::remove(path);
}
