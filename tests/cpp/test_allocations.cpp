// Turning text into tokens takes memory for the results, never for a single token.
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/tiny_tokenizer.hpp"

namespace {

/// Words of every kind: whole, in pieces, unknown, capital, accented, ideographs, numbers.
std::string some_text(std::size_t repeats) {
    std::string text;
    for (std::size_t i = 0; i < repeats; ++i) {
        text += "hello UNAFFABLE world, xyzzy! caf\u00E9 \u4E2D\u4E2D \u041F\u0440 h\u00E9llo 1\n";
    }
    return text;
}

template <typename Work>
std::size_t allocations_of(Work work) {
    const auto before = allocations();
    work();
    return allocations() - before;
}

}  // namespace

TEST_CASE("the number of allocations does not grow with the tokens", "[allocations]") {
    const auto tokenizer = tiny::load(tiny::tokenizer_json(
        {"hello", "world", "un", "##aff", "##able", ",", "!", "cafe", "\u4E2D", "\u043F"}));
    const auto few = some_text(10);
    const auto many = some_text(10'000);
    // A vector that grows to a thousand times its size doubles ten times.
    constexpr std::size_t kDoublings = 12;

    SECTION("encode") {
        const auto encode = [&](const std::string& text) {
            return allocations_of([&] { CHECK(tokenizer.encode(text).size() > 100); });
        };
        (void)encode(few);
        CHECK(encode(few) > 0);
        CHECK(encode(many) <= encode(few) + 3 * kDoublings);
    }
    SECTION("append_ids") {
        std::vector<std::int32_t> ids;
        (void)tokenizer.append_ids(many, 0, ids);
        const auto append = [&](const std::string& text) {
            ids.clear();
            return allocations_of([&] { (void)tokenizer.append_ids(text, 0, ids); });
        };
        CHECK(append(many) <= append(few) + kDoublings);
    }
}
