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
}

TEST_CASE("a JSON error can be shown whatever the file's bytes are", "[json]") {
    try {
        (void)JsonField::parse("[\"\xc3\x28\xff", "f.json");
        FAIL("expected a FormatError");
    } catch (const FormatError& error) {
        for (const char* c = error.what(); *c != '\0'; ++c) CHECK(*c > 0);
    }
}

TEST_CASE("JSON is limited in depth and number of values before it is parsed", "[json]") {
    const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
    CHECK_NOTHROW(JsonField::parse(nested(128), "f.json"));
    CHECK_THROWS_WITH(JsonField::parse(nested(129), "f.json"),
                      ContainsSubstring("byte 128: expected JSON of at most 128 levels"));
    CHECK_THROWS_WITH(JsonField::parse(std::string(20'000'000, '['), "f.json"),
                      ContainsSubstring("levels"));
    const JsonLimits few{.depth = 2, .values = 5};
    CHECK_NOTHROW(JsonField::parse("[1, [2, 3]]", "f.json", few));
    CHECK_THROWS_WITH(JsonField::parse("[1, [2, 3], 4]", "f.json", few),
                      ContainsSubstring("5 values"));
    // Brackets and commas inside strings are text, and an escaped quote does not end one.
    CHECK_NOTHROW(JsonField::parse(R"(["[[[,,,,", "\"[[,,,,\\"])", "f.json", few));
}

TEST_CASE("a name that an object has twice counts last, or is refused", "[json]") {
    const std::string text = R"({"a": {"b": 1}, "c": {"b": 2}, "a": {"b": 3}})";
    CHECK(JsonField::parse(text, "f.json").at("a").at("b").integer() == 3);
    const JsonLimits unique{.unique_names = true};
    CHECK_THROWS_WITH(JsonField::parse(text, "f.json", unique),
                      "f.json: a: expected a name once, got it twice");
    CHECK_THROWS_WITH(JsonField::parse(R"([{"x": [{"b": 1}, {"b": 2, "b": 3}]}])", "f", unique),
                      ContainsSubstring("b: expected a name once"));
    CHECK_NOTHROW(JsonField::parse(R"([{"b": {"b": 1}}, {"b": 2}])", "f.json", unique));
}
