#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "unitvec/error.hpp"

using namespace unitvec;

TEST_CASE("a FormatError names the file, the place and what was wrong", "[error]") {
    const FormatError e("model.safetensors", "byte 8", "expected JSON, got \"x\"");
    CHECK(std::string(e.what()) == "model.safetensors: byte 8: expected JSON, got \"x\"");
    CHECK(e.file() == "model.safetensors");
    CHECK(e.where() == "byte 8");
}

TEST_CASE("require_finite names the row and column of the first bad number", "[error]") {
    std::vector<float> values(6, 1.0F);
    const MatrixView<const float> m{values.data(), 2, 3};
    CHECK_NOTHROW(require_finite("add", "vectors", m));
    values[4] = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_WITH(
        require_finite("add", "vectors", m),
        ContainsSubstring("[add] expected finite vectors") && ContainsSubstring("row 1, column 1"));
}

TEST_CASE("require_dim and require_same_shape say both sizes", "[error]") {
    CHECK_THROWS_WITH(require_dim("search", "queries", 384, 3),
                      "[search] expected queries of dimension 384, got 3");
    const MatrixView<const float> a{nullptr, 2, 3};
    const MatrixView<const float> b{nullptr, 3, 2};
    CHECK_THROWS_WITH(require_same_shape("f", a, b), ContainsSubstring("(2, 3) and (3, 2)"));
}
