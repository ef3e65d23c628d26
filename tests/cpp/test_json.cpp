#include "json.hpp"
#include "support/catch.hpp"

using namespace unitvec;

TEST_CASE("a JSON mistake is reported with its file and field", "[json]") {
    const auto root =
        JsonField::parse(R"({"a": {"b": [1, "x", -3, 18446744073709551615]}})", "f.json");
    const auto items = root.at("a").at("b").items();
    CHECK(items[0].integer(0, 5) == 1);
    CHECK_THROWS_WITH(items[1].integer(), "f.json: a.b[1]: expected an integer, got \"x\"");
    CHECK_THROWS_WITH(items[2].integer(0, 5),
                      "f.json: a.b[2]: expected an integer in [0, 5], got -3");
    CHECK_THROWS_AS(items[3].integer(), FormatError);  // does not fit, and does not wrap around
    CHECK_THROWS_WITH(root.at("c"), ContainsSubstring("expected the field \"c\""));
    CHECK_THROWS_WITH(root.at("a").boolean(), "f.json: a: expected true or false, got an object");
}

TEST_CASE("absent and null members take the default", "[json]") {
    const auto root = JsonField::parse(R"({"n": null, "s": "v"})", "f.json");
    CHECK(root.string_or("n", "d") == "d");
    CHECK(root.string_or("s", "d") == "v");
    CHECK(root.boolean_or("absent", true));
    CHECK_THROWS_AS(root.boolean_or("s", true), FormatError);
}

TEST_CASE("what is not JSON is a FormatError, never a crash", "[json]") {
    const std::string text = GENERATE("", "{", "{\"a\": }", "nul", "\"\xff\"", "[1e999]");
    CHECK_THROWS_AS(JsonField::parse(text, "f.json"), FormatError);
    CHECK_NOTHROW(JsonField::parse(std::string(5000, '[') + std::string(5000, ']'), "deep.json"));
}
