#include <vector>

#include "support/catch.hpp"
#include "unitvec/model/batch.hpp"

using namespace unitvec;

namespace {

std::vector<std::pair<std::size_t, std::size_t>> plan(const std::vector<std::size_t>& lengths,
                                                      std::size_t batch_tokens) {
    std::vector<std::size_t> offsets{0};
    for (const std::size_t n : lengths) offsets.push_back(offsets.back() + n);
    std::vector<std::pair<std::size_t, std::size_t>> ranges;
    for (const auto r : plan_batches(offsets, batch_tokens)) ranges.emplace_back(r.first, r.last);
    return ranges;
}

using Ranges = std::vector<std::pair<std::size_t, std::size_t>>;

}  // namespace

TEST_CASE("batches hold whole texts, in order, up to the wanted number of tokens", "[batch]") {
    CHECK(plan({3, 3, 3, 3}, 6) == Ranges{{0, 2}, {2, 4}});
    CHECK(plan({3, 4, 3}, 6) == Ranges{{0, 1}, {1, 2}, {2, 3}});
    CHECK(plan({1, 100, 1}, 6) == Ranges{{0, 1}, {1, 2}, {2, 3}});  // a long text stands alone
    CHECK(plan({0, 0, 0}, 6) == Ranges{{0, 3}});
    CHECK(plan({2, 2}, 0) == Ranges{{0, 1}, {1, 2}});
    CHECK(plan({}, 6).empty());
}

TEST_CASE("token sequences remember what truncation cost", "[batch]") {
    TokenSequences s;
    const std::vector<std::int32_t> ids{1, 2, 3};
    s.append(ids, 10);
    s.append({}, 0);
    CHECK(s.texts() == 2);
    CHECK(s.length(0) == 3);
    CHECK(s.full_lengths == std::vector<std::size_t>{10, 0});
    const Batch batch{s.input_ids, {}, s.offsets};
    CHECK(batch.longest() == 3);
    CHECK(batch.tokens() == 3);
    CHECK(batch.texts() == 2);
    CHECK(Batch{}.texts() == 0);
}
