#include "unitvec/search/distance.hpp"

#include <cmath>
#include <string>

#include "support/catch.hpp"
#include "support/kernel_sets.hpp"
#include "support/random.hpp"
#include "support/reference_search.hpp"
#include "unitvec/normalize.hpp"

using namespace unitvec;

namespace {

using Reference = double (*)(std::span<const float>, std::span<const float>);

struct Case {
    const char* name;
    kernels::DistanceKernel kernel;
    Reference reference;
};

using Set = KernelSet<kernels::DistanceKernels>;

std::vector<Case> cases(const Set& set) {
    const auto& kernels = set.kernels->float32;
    return {{"dot", kernels.dot, reference::dot},
            {"squared_l2", kernels.squared_l2, reference::squared_l2},
            {"l1", kernels.l1, reference::l1}};
}

Set any_set() {
    return GENERATE(from_range(distance_sets()));
}

// Around the widths of the registers (4, 8, 16), of four of them, and the usual dimensions.
std::size_t any_dim() {
    return GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{4}, std::size_t{7},
                    std::size_t{8}, std::size_t{15}, std::size_t{16}, std::size_t{17},
                    std::size_t{31}, std::size_t{32}, std::size_t{63}, std::size_t{65},
                    std::size_t{384}, std::size_t{1000}, std::size_t{1536});
}

}  // namespace

TEST_CASE("a pair agrees with the reference on every instruction set", "[distance]") {
    const Set set = any_set();
    const std::size_t dim = any_dim();
    const auto x = random_floats(dim, 1), y = random_floats(dim, 1'000'003);
    for (const auto& c : cases(set)) {
        INFO(c.name << " on " << set.name << ", dim " << dim);
        const double tolerance = 1e-6 * static_cast<double>(dim + 1);
        CHECK_THAT(static_cast<double>(c.kernel.pair(x.data(), y.data(), dim)),
                   WithinAbs(c.reference(x, y), tolerance));
    }
}

TEST_CASE("rows give the bits of pairs, consecutive or scattered", "[distance]") {
    const Set set = any_set();
    const std::size_t dim = any_dim();
    const std::size_t count = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{2},
                                       std::size_t{3}, std::size_t{5}, std::size_t{9});
    const auto query = random_floats(dim, 1), base = random_floats(dim * 20, 1'000'003);
    const std::vector<std::uint32_t> rows{19, 0, 7, 7, 3, 18, 1, 2, 11};
    for (const auto& c : cases(set)) {
        INFO(c.name << " on " << set.name << ", dim " << dim);
        std::vector<float> consecutive(count), scattered(count);
        c.kernel.rows(query.data(), base.data(), dim, nullptr, count, consecutive.data());
        c.kernel.rows(query.data(), base.data(), dim, rows.data(), count, scattered.data());
        for (std::size_t i = 0; i < count; ++i) {
            CHECK(consecutive[i] == c.kernel.pair(query.data(), base.data() + i * dim, dim));
            CHECK(scattered[i] == c.kernel.pair(query.data(), base.data() + rows[i] * dim, dim));
        }
    }
}

TEST_CASE("kernels are symmetric, and equal vectors are at distance 0", "[distance]") {
    const Set set = any_set();
    const std::size_t dim = any_dim();
    const auto x = random_floats(dim, 1), y = random_floats(dim, 1'000'003);
    for (const auto& c : cases(set)) {
        INFO(c.name << " on " << set.name << ", dim " << dim);
        CHECK(c.kernel.pair(x.data(), y.data(), dim) == c.kernel.pair(y.data(), x.data(), dim));
    }
    CHECK(set.kernels->float32.squared_l2.pair(x.data(), x.data(), dim) == 0.0F);
    CHECK(set.kernels->float32.l1.pair(x.data(), x.data(), dim) == 0.0F);
}

TEST_CASE("kernels read nothing outside the vectors", "[distance]") {
    const Set set = any_set();
    const std::size_t dim = any_dim();
    // NaN on both sides of the vectors would show in any sum that touched it.
    std::vector<float> x(dim + 32, std::nanf("")), y(dim + 32, std::nanf(""));
    std::fill_n(x.begin() + 16, dim, 0.5F);
    std::fill_n(y.begin() + 16, dim, 0.25F);
    for (const auto& c : cases(set)) {
        INFO(c.name << " on " << set.name << ", dim " << dim);
        CHECK(std::isfinite(c.kernel.pair(x.data() + 16, y.data() + 16, dim)));
    }
}

TEST_CASE("matrices of distances agree with the reference", "[distance]") {
    const std::size_t n = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{40});
    const std::size_t m = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{300});
    const std::size_t dim = GENERATE(std::size_t{1}, std::size_t{33}, std::size_t{384});
    const auto a = random_floats(n * dim, 1), b = random_floats(m * dim, 1'000'003);
    const MatrixView<const float> va{a.data(), n, dim}, vb{b.data(), m, dim};
    const auto check = [&](auto compare, Metric metric, double sign) {
        Matrix out(n, m);
        compare(va, vb, out.view());
        double largest_error = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < m; ++j) {
                const double expected = sign * reference::score(metric, va.row(i), vb.row(j));
                largest_error = std::max(largest_error, std::abs(expected - out.row(i)[j]));
            }
        }
        CHECK(largest_error < 1e-6 * static_cast<double>(dim + 1));
    };
    check(&dot, Metric::dot, 1.0);
    check(&cosine, Metric::cosine, 1.0);
    check(&euclidean, Metric::euclidean, -1.0);
    check(&manhattan, Metric::manhattan, -1.0);
}

TEST_CASE("angle keeps small angles that a cosine rounds away", "[distance]") {
    const double degrees = GENERATE(0.0, 1e-4, 0.01, 45.0, 90.0, 179.99, 180.0);
    const double radians = degrees * std::acos(-1.0) / 180.0;
    const std::vector<float> x{1.0F, 0.0F};
    const std::vector<float> y{static_cast<float>(std::cos(radians)),
                               static_cast<float>(std::sin(radians))};
    float found = -1.0F;
    angle({x.data(), 1, 2}, {y.data(), 1, 2}, {&found, 1, 1});
    CHECK_THAT(static_cast<double>(found), WithinAbs(degrees, 1e-5));
}

TEST_CASE("a zero vector has cosine 0 and angle 90, with itself too", "[distance]") {
    const std::vector<float> x{0, 0, 3, 4};
    Matrix cosines(2, 2), angles(2, 2);
    cosine({x.data(), 2, 2}, {x.data(), 2, 2}, cosines.view());
    angle({x.data(), 2, 2}, {x.data(), 2, 2}, angles.view());
    for (const auto& [i, j] : {std::pair{0, 0}, std::pair{0, 1}, std::pair{1, 0}}) {
        CHECK(cosines.row(static_cast<std::size_t>(i))[static_cast<std::size_t>(j)] == 0.0F);
        CHECK(angles.row(static_cast<std::size_t>(i))[static_cast<std::size_t>(j)] == 90.0F);
    }
}

TEST_CASE("distances refuse other dimensions and shapes", "[distance]") {
    const std::vector<float> x(6);
    Matrix out(2, 3);
    CHECK_THROWS_WITH(dot({x.data(), 2, 3}, {x.data(), 3, 2}, out.view()),
                      "[dot] expected b of dimension 3, got 2");
    CHECK_THROWS_WITH(euclidean({x.data(), 1, 3}, {x.data(), 2, 3}, out.view()),
                      "[euclidean] expected out of shape (1, 2), got (2, 3)");
}

TEST_CASE("l2_normalize gives length 1, keeps zero rows and works in place", "[distance]") {
    auto x = random_floats(7 * 31, 1);
    std::fill_n(x.begin() + 31, 31, 0.0F);
    x[2 * 31] = 3e38F;  // its square overflows float32
    const MatrixView<float> view{x.data(), 7, 31};
    l2_normalize(view, view);
    for (std::size_t i = 0; i < 7; ++i) {
        const double expected = i == 1 ? 0.0 : 1.0;
        CHECK_THAT(reference::dot(view.row(i), view.row(i)), WithinAbs(expected, 1e-6));
    }
}
