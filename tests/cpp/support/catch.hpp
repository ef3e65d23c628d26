#pragma once
/// Catch2 3 or 2.13, whichever is installed, under the names of Catch2 3.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
#else
#include <catch2/catch.hpp>
using Catch::WithinAbs;
using Catch::Matchers::WithinRel;
inline auto ContainsSubstring(const std::string& text) {
    return Catch::Contains(text);
}
#endif
