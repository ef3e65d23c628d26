#include <cstdint>

#include "support/catch.hpp"
#include "unitvec/types.hpp"

using namespace unitvec;

TEST_CASE("memory is aligned and usable at every size", "[types]") {
    const std::size_t n = GENERATE(std::size_t{1}, std::size_t{17}, std::size_t{524287},
                                   std::size_t{524288}, std::size_t{1500001});
    AlignedVector<float> values(n);
    CHECK(reinterpret_cast<std::uintptr_t>(values.data()) % 64 == 0);
    for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>(i % 1000);
    const AlignedVector<float> copy = values;
    CHECK(copy == values);
    values.resize(n + 5, 7.0F);
    CHECK(values[n + 4] == 7.0F);
    CHECK(values[n - 1] == copy[n - 1]);
}

TEST_CASE("a length that no memory can have is refused", "[types]") {
    CHECK_THROWS_AS(AlignedAllocator<double>().allocate(static_cast<std::size_t>(-1) / 2),
                    std::bad_alloc);
}

TEST_CASE("views give rows and runs of rows", "[types]") {
    Matrix m(3, 2);
    for (std::size_t i = 0; i < 6; ++i) m.data()[i] = static_cast<float>(i);
    CHECK(m.row(1)[1] == 3.0F);
    const MatrixView<const float> view = m.view();
    CHECK(view.middle_rows(1, 2).row(1)[0] == 4.0F);
    CHECK(view.size() == 6);
    CHECK(Matrix().view().empty());
}
