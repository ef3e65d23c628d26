#include "search/id_map.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <random>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "unitvec/error.hpp"

using namespace unitvec;

namespace {

/// The same promises, kept by standard containers.
struct Model {
    std::vector<Id> ids;
    std::map<Id, std::uint32_t> rows;

    void add(Id id) {
        rows[id] = static_cast<std::uint32_t>(ids.size());
        ids.push_back(id);
    }
    void remove(Id id) {
        ids[rows.at(id)] = kDead;
        rows.erase(id);
    }
    void truncate(std::size_t size) {
        for (std::size_t i = size; i < ids.size(); ++i) rows.erase(ids[i]);
        ids.resize(std::min(size, ids.size()));
    }
    void compact() {
        std::erase(ids, kDead);
        for (std::size_t i = 0; i < ids.size(); ++i) rows[ids[i]] = static_cast<std::uint32_t>(i);
    }
};

void require_same(const IdMap& map, const Model& model, Id largest) {
    REQUIRE(std::vector<Id>(map.ids().begin(), map.ids().end()) == model.ids);
    REQUIRE(map.live() == model.rows.size());
    for (Id id = 0; id <= largest; ++id) {
        const auto found = map.find(id);
        const auto expected = model.rows.find(id);
        REQUIRE(found.has_value() == (expected != model.rows.end()));
        if (found) REQUIRE(*found == expected->second);
    }
}

}  // namespace

TEST_CASE("ids are found through any changes", "[id_map]") {
    constexpr Id kLargest = 300;
    const std::uint64_t seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{21}));
    const auto choices = random_floats(2 * 400, seed);
    IdMap map;
    Model model;
    for (std::size_t step = 0; step < 400; ++step) {
        const auto id = static_cast<Id>((choices[2 * step] + 1.0F) / 2.0F * kLargest);
        const float what = choices[2 * step + 1];
        const bool known = model.rows.contains(id);
        if (what < 0.3F && !known) {
            map.append(map.choose(1, std::vector<Id>{id}));
            model.add(id);
        } else if (what < 0.9F && known) {
            map.mark_dead(map.rows_to_remove(std::vector<Id>{id}));
            model.remove(id);
        } else if (what > 0.97F) {
            map.compact();
            model.compact();
        } else if (what > 0.93F && !model.ids.empty() && model.ids.back() != kDead) {
            map.truncate(model.ids.size() - 1);
            model.truncate(model.ids.size() - 1);
        }
        if (step % 40 == 39) require_same(map, model, kLargest);
    }
    require_same(map, model, kLargest);
}

TEST_CASE("rows are met for ascending ids as for any", "[id_map]") {
    const bool ascending = GENERATE(true, false);
    const std::size_t every = GENERATE(std::size_t{1}, std::size_t{3}, std::size_t{200});
    IdMap map;
    map.append(map.choose(1000, std::nullopt));
    map.mark_dead(map.rows_to_remove(std::vector<Id>{3, 6, 600, 999}));
    map.append(map.choose(2, std::vector<Id>{1005, 2000}));
    if (!ascending) map.append(map.choose(1, std::vector<Id>{3}));
    std::vector<Id> ids{-7};
    for (Id id = 0; id < 2100; id += static_cast<Id>(every)) ids.push_back(id);
    std::vector<std::uint32_t> rows, expected;
    map.for_each_row(ids, [&](std::uint32_t row) { rows.push_back(row); });
    for (const Id id : ids) {
        if (const auto row = map.find(id)) expected.push_back(*row);
    }
    CHECK(rows == expected);
}

TEST_CASE("rows of marked ids are allowed, whatever the order", "[id_map]") {
    std::mt19937 random(3);
    for (int trial = 0; trial < 300; ++trial) {
        const auto one_in = [&](unsigned n) { return random() % n == 0; };
        IdMap map;
        std::vector<Id> stored, ids;
        for (Id id = 0; id < 200; ++id) {
            if (!one_in(trial % 3 == 0 ? 1000 : 10)) stored.push_back(id);
            if (!one_in(trial % 5 == 0 ? 1000 : 10)) ids.push_back(id - 2);
        }
        if (trial % 7 == 0) std::ranges::shuffle(stored, random);
        if (trial % 4 == 1) std::ranges::shuffle(ids, random);
        if (trial % 4 == 2) std::swap(ids[random() % ids.size()], ids[random() % ids.size()]);
        if (trial % 4 == 3) ids.insert(ids.begin() + 40, ids[random() % 2 == 0 ? 40 : 7]);
        if (trial % 6 == 0) ids.insert(ids.begin(), -1);
        map.append(map.choose(stored.size(), stored));
        std::vector<Id> dead;
        for (const Id id : stored) {
            if (one_in(8) && trial % 2 == 0) dead.push_back(id);
        }
        map.mark_dead(map.rows_to_remove(dead));
        const auto marks = std::make_unique<bool[]>(ids.size());
        RowFilter filter(map.ids(), map.live()), expected(map.ids(), map.live());
        filter.allow_none();
        expected.allow_none();
        for (std::size_t i = 0; i < ids.size(); ++i) {
            marks[i] = one_in(2);
            const auto row = map.find(ids[i]);
            if (marks[i] && row) expected.allow(*row);
        }
        map.allow_marked(ids, {marks.get(), ids.size()}, filter);
        REQUIRE(filter.eligible() == expected.eligible());
        REQUIRE(filter.rows() == expected.rows());
    }
}

TEST_CASE("a repeated id is named with the row that repeats it", "[id_map]") {
    const IdMap map;
    const std::vector<Id> ids{5, 9, 2, 9, 5};
    CHECK_THROWS_WITH(map.choose(5, ids),
                      ContainsSubstring("each id once") && ContainsSubstring("9 in row 3 again"));
    CHECK(map.choose(3, std::vector<Id>{5, 9, 2}) == std::vector<Id>{5, 9, 2});
}

TEST_CASE("a vector's id takes few bytes", "[id_map]") {
    const std::size_t n = GENERATE(std::size_t{1000}, std::size_t{4096}, std::size_t{100'000});
    IdMap map;
    map.append(map.choose(n, std::nullopt));
    CHECK(map.bytes() <= n * 24);
}
