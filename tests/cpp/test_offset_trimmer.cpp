#include "text/offset_trimmer.hpp"

#include "support/catch.hpp"

using namespace unitvec;

namespace {

/// Tokens 0 ... 3: "a", space + "a", two spaces, "a" + space.
Vocabulary vocabulary() {
    return {{{"a", 0}, {"\u0120a", 1}, {"\u0120\u0120", 2}, {"a ", 3}}, "test", ""};
}

std::vector<Offset> trimmed(OffsetTrimming trimming, const std::vector<std::int32_t>& ids,
                            std::vector<Offset> offsets) {
    std::vector<Piece> pieces;
    for (const auto id : ids) pieces.push_back({id, 0, 0, 0});
    OffsetTrimmer(vocabulary(), trimming).trim(pieces, offsets);
    return offsets;
}

using Offsets = std::vector<Offset>;

}  // namespace

TEST_CASE("spaces at both ends of a token leave its offsets", "[offset_trimmer]") {
    CHECK(trimmed({true, false}, {1, 0, 3}, {{0, 2}, {2, 3}, {3, 5}}) ==
          Offsets{{1, 2}, {2, 3}, {3, 4}});
    CHECK(trimmed({true, false}, {0, 2}, {{0, 1}, {1, 3}}) == Offsets{{0, 1}, {3, 3}});
}

TEST_CASE("a prefix space is not in the text, so the first token keeps one", "[offset_trimmer]") {
    CHECK(trimmed({true, true}, {1, 1}, {{0, 1}, {1, 3}}) == Offsets{{0, 1}, {2, 3}});
    CHECK(trimmed({true, true}, {2, 0}, {{0, 2}, {2, 3}}) == Offsets{{2, 2}, {2, 3}});
}

TEST_CASE("offsets stay where nothing is trimmed", "[offset_trimmer]") {
    CHECK(trimmed({false, false}, {1}, {{0, 2}}) == Offsets{{0, 2}});
}

TEST_CASE("an added token loses the white space that it took", "[offset_trimmer]") {
    const std::vector<Piece> pieces{{0, 0, 0, 0, 2, 1}};
    Offsets offsets{{3, 9}};
    OffsetTrimmer(vocabulary(), {true, false}).trim(pieces, offsets);
    CHECK(offsets == Offsets{{5, 8}});
}
