#include "search/row_filter.hpp"

#include <random>

#include "support/catch.hpp"

using unitvec::Id;
using unitvec::kDead;
using unitvec::RowFilter;

TEST_CASE("Eligible rows are listed whatever lies between them", "[row_filter]") {
    std::mt19937 random(7);
    for (std::size_t n = 0; n < 70; ++n) {
        for (const int one_in : {1, 2, 9, 40}) {
            std::vector<Id> ids(n);
            std::size_t live = 0;
            for (std::size_t i = 0; i < n; ++i) {
                ids[i] = random() % 5 == 0 ? kDead : static_cast<Id>(i);
                live += ids[i] != kDead;
            }
            RowFilter filter(ids, live);
            std::vector<std::uint32_t> alive, allowed;
            for (std::uint32_t i = 0; i < n; ++i) {
                if (ids[i] != kDead) alive.push_back(i);
            }
            CHECK(filter.rows() == alive);
            filter.allow_none();
            for (const auto row : alive) {
                if (random() % one_in == 0) allowed.push_back(row);
            }
            for (const auto row : allowed) filter.allow(row);
            CHECK(filter.rows() == allowed);
            CHECK(filter.eligible() == allowed.size());
        }
    }
}
