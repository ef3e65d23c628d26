#include <algorithm>
#include <vector>

#include "support/catch.hpp"
#include "support/tiny_tokenizer.hpp"
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

TEST_CASE("pairs are tokenised in order on any number of threads", "[batch]") {
    const auto tokenizer = tiny::load(tiny::tokenizer_json({"a", "b", "c"}));
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < 300; ++i) texts.push_back(i % 3 == 0 ? "a" : "b c a b c a b");
    std::vector<TextPair> pairs;
    for (std::size_t i = 0; i + 1 < texts.size(); ++i) pairs.push_back({texts[i], texts[i + 1]});
    const std::size_t threads = GENERATE(1u, 3u);
    const auto s = tokenize_pairs(tokenizer, pairs, 10, threads);
    REQUIRE(s.texts() == pairs.size());
    REQUIRE(s.token_type_ids.size() == s.input_ids.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const auto e = tokenizer.encode(texts[i], texts[i + 1], {.max_length = 10});
        const auto at = static_cast<std::ptrdiff_t>(s.offsets[i]);
        CHECK(std::equal(e.ids.begin(), e.ids.end(), s.input_ids.begin() + at));
        CHECK(std::equal(e.type_ids.begin(), e.type_ids.end(), s.token_type_ids.begin() + at));
        CHECK(s.length(i) == e.size());
        CHECK(s.full_lengths[i] == tokenizer.encode(texts[i], texts[i + 1]).size());
    }
    CHECK(tokenize_pairs(tokenizer, {}, 10, threads).texts() == 0);
    CHECK(tokenize(tokenizer, std::vector<std::string_view>{"a"}, 10, 1).token_type_ids.empty());
}

TEST_CASE("a batch of all texts views their ids, types and offsets", "[batch]") {
    TokenSequences s;
    const std::vector<std::int32_t> ids{1, 2, 3}, types{0, 1, 1};
    s.append(ids, 3, types);
    s.append(std::span(ids).first(2), 2, std::span(types).last(2));
    const Batch batch = whole_batch(s);
    CHECK(batch.input_ids.data() == s.input_ids.data());
    CHECK(std::ranges::equal(batch.input_ids, std::vector<std::int32_t>{1, 2, 3, 1, 2}));
    CHECK(std::ranges::equal(batch.token_type_ids, std::vector<std::int32_t>{0, 1, 1, 1, 1}));
    CHECK(std::ranges::equal(batch.offsets, std::vector<std::size_t>{0, 3, 5}));
    TokenSequences untyped;
    untyped.append(ids, 3);
    CHECK(whole_batch(untyped).token_type_ids.empty());
    CHECK(whole_batch(TokenSequences{}).texts() == 0);
}

TEST_CASE("token sequences remember what truncation cost", "[batch]") {
    TokenSequences s;
    const std::vector<std::int32_t> ids{1, 2, 3};
    s.append(ids, 10);
    s.append({}, 0);
    CHECK(s.texts() == 2);
    CHECK(s.length(0) == 3);
    CHECK(s.full_lengths == std::vector<std::size_t>{10, 0});
    const Batch batch = whole_batch(s);
    CHECK(batch.longest() == 3);
    CHECK(batch.tokens() == 3);
    CHECK(batch.texts() == 2);
    CHECK(Batch{}.texts() == 0);
}
