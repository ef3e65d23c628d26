#include "text/bpe.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <string>

#include "support/catch.hpp"

using unitvec::BytePairEncoding;
using Merge = BytePairEncoding::Merge;

namespace {

std::array<std::int32_t, 256> bytes_as_ids() {
    std::array<std::int32_t, 256> ids{};
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i);
    return ids;
}

/// The definition: the pair with the best rank, the leftmost of equal ones, until none is left.
std::vector<std::int32_t> slow(const std::string& word, const std::vector<Merge>& merges) {
    std::vector<std::int32_t> ids;
    for (const char c : word) ids.push_back(static_cast<unsigned char>(c));
    while (true) {
        std::optional<std::size_t> at;
        std::size_t best = merges.size();
        for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
            for (std::size_t rank = 0; rank < best; ++rank) {
                if (merges[rank].left != ids[i] || merges[rank].right != ids[i + 1]) continue;
                best = rank;
                at = i;
            }
        }
        if (!at) return ids;
        ids[*at] = merges[best].result;
        ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(*at) + 1);
    }
}

/// Random merges of what there is already, as training would make them.
std::vector<Merge> random_merges(std::mt19937& rng, std::size_t count,
                                 std::vector<BytePairEncoding::Token>& tokens) {
    std::vector<Merge> merges;
    const auto pick = [&] { return tokens[rng() % tokens.size()]; };
    while (merges.size() < count) {
        const auto left = pick();
        const auto right = pick();
        const auto same = [&](const auto& t) { return t.bytes == left.bytes + right.bytes; };
        if (std::ranges::any_of(tokens, same)) continue;
        const auto id = static_cast<std::int32_t>(256 + merges.size());
        merges.push_back({left.id, right.id, id});
        tokens.push_back({left.bytes + right.bytes, id});
    }
    std::ranges::shuffle(merges, rng);
    return merges;
}

}  // namespace

TEST_CASE("merges follow their order, leftmost first, whatever the length", "[bpe]") {
    std::mt19937 rng(7);
    for (int round = 0; round < 20; ++round) {
        std::vector<BytePairEncoding::Token> tokens{{"a", 'a'}, {"b", 'b'}, {"c", 'c'}};
        const auto merges = random_merges(rng, 30, tokens);
        const BytePairEncoding bpe(bytes_as_ids(), merges, tokens, false);
        for (const std::size_t length : {1, 2, 3, 5, 9, 16, 17, 47, 48, 49, 50, 200}) {
            std::string word;
            for (std::size_t i = 0; i < length; ++i) word += "abc"[rng() % 3];
            std::vector<std::int32_t> ids;
            std::vector<BytePairEncoding::Span> spans;
            bpe.append(word, ids);
            bpe.append(word, spans);
            REQUIRE(ids == slow(word, merges));
            REQUIRE(spans.size() == ids.size());
            std::string joined;
            for (std::size_t i = 0; i < spans.size(); ++i) {
                CHECK(spans[i].id == ids[i]);
                const auto part = word.substr(spans[i].begin, spans[i].end - spans[i].begin);
                const auto same = [&](const auto& t) { return t.id == ids[i]; };
                CHECK(std::ranges::find_if(tokens, same)->bytes == part);
                joined += part;
            }
            CHECK(joined == word);
        }
    }
}

TEST_CASE("of two equal pairs the last counts", "[bpe]") {
    const std::vector<Merge> merges{{'a', 'b', 256}, {'b', 'c', 257}, {'a', 'b', 256}};
    const BytePairEncoding bpe(bytes_as_ids(), merges, {}, false);
    std::vector<std::int32_t> ids;
    bpe.append("abc", ids);
    CHECK(ids == std::vector<std::int32_t>{'a', 257});
}

TEST_CASE("a word that is a token stays whole with ignore_merges only", "[bpe]") {
    const std::string word(30, 'x');
    for (const bool ignore : {false, true}) {
        const BytePairEncoding bpe(bytes_as_ids(), {}, {{word, 300}, {"xy", 301}}, ignore);
        std::vector<std::int32_t> ids;
        bpe.append(word, ids);
        CHECK(ids.size() == (ignore ? 1 : 30));
        ids.clear();
        bpe.append("xy", ids);
        CHECK(ids.size() == (ignore ? 1 : 2));
    }
}

TEST_CASE("a word of a million bytes is no trouble", "[bpe]") {
    const std::vector<Merge> merges{{'a', 'a', 256}, {256, 256, 257}};
    const BytePairEncoding bpe(bytes_as_ids(), merges, {}, false);
    std::vector<std::int32_t> ids;
    bpe.append(std::string(1'000'000, 'a'), ids);
    CHECK(ids.size() == 250'000);
    CHECK(std::ranges::all_of(ids, [](auto id) { return id == 257; }));
}
