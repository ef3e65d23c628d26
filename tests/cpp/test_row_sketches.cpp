#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "search/random.hpp"
#include "search/rotation.hpp"
#include "search/row_sketches.hpp"
#include "support/catch.hpp"
#include "support/kernel_sets.hpp"
#include "support/random.hpp"
#include "unitvec/normalize.hpp"

using namespace unitvec;

namespace {

double dot(const float* x, const float* y, std::size_t dim) {
    return std::inner_product(x, x + dim, y, 0.0);
}

/// Vectors far from the origin, some of whose numbers are much larger than the others.
std::vector<float> uneven(std::size_t rows, std::size_t dim, std::uint64_t seed) {
    auto values = random_floats(rows * dim, seed);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t j = i % dim;
        values[i] = values[i] * (j < 4 ? 6.0F : 1.0F) + (j % 7 == 0 ? 2.0F : 0.0F);
    }
    return values;
}

VectorStore stored(std::vector<float>& values, std::size_t dim, Metric metric) {
    const std::size_t rows = values.size() / dim;
    const MatrixView<float> all(values.data(), rows, dim);
    if (metric == Metric::cosine) l2_normalize(all, all);
    VectorStore store(dim, metric);
    store.append(all);
    return store;
}

double nearness(Metric metric, const float* x, const float* y, std::size_t dim) {
    if (metric != Metric::euclidean) return dot(x, y, dim);
    double squares = 0.0;
    for (std::size_t j = 0; j < dim; ++j) {
        squares += std::pow(static_cast<double>(x[j]) - static_cast<double>(y[j]), 2);
    }
    return -squares;
}

}  // namespace

TEST_CASE("a rotation keeps products and spreads what lay in one number", "[row_sketches]") {
    const std::size_t dim = GENERATE(as<std::size_t>{}, 64, 96, 100, 128, 384, 385, 768, 1000);
    const Rotation rotation(dim);
    std::vector<float> room(rotation.room());
    auto x = random_floats(dim, 1), y = random_floats(dim, 2);
    const double before = dot(x.data(), y.data(), dim);
    const double scale = std::sqrt(dot(x.data(), x.data(), dim) * dot(y.data(), y.data(), dim));
    rotation.apply(x.data(), room.data());
    rotation.apply(y.data(), room.data());
    CHECK(std::fabs(dot(x.data(), y.data(), dim) - before) < 1e-5 * scale);

    for (std::size_t j = 0; j < dim; j += 13) {
        std::vector<float> one(dim, 0.0F);
        one[j] = 1.0F;
        rotation.apply(one.data(), room.data());
        double largest = 0.0, sum = 0.0;
        for (const float value : one) {
            largest = std::max(largest, std::fabs(static_cast<double>(value)));
            sum += std::fabs(static_cast<double>(value));
        }
        CHECK(std::fabs(dot(one.data(), one.data(), dim) - 1.0) < 1e-5);
        CHECK(largest < 6.0 / std::sqrt(static_cast<double>(dim)));
        CHECK(sum > 0.6 * std::sqrt(static_cast<double>(dim)));  // sqrt(2 / pi) of a normal one
    }
}

TEST_CASE("of ten rows nine are estimated as at least as near as they are, one as farther",
          "[row_sketches]") {
    const std::size_t dim = GENERATE(as<std::size_t>{}, 96, 128, 200, 384);
    const auto metric = GENERATE(Metric::cosine, Metric::dot, Metric::euclidean);
    constexpr std::size_t kRows = 3000, kQueries = 20;
    auto values = uneven(kRows, dim, 3);
    const auto store = stored(values, dim, metric);
    auto queries = uneven(kQueries, dim, 4);
    if (metric == Metric::cosine) {
        l2_normalize({queries.data(), kQueries, dim}, {queries.data(), kQueries, dim});
    }
    RowSketches sketches(dim, metric);
    sketches.extend(store, 2);
    REQUIRE(sketches.rows() == kRows);
    std::vector<std::uint32_t> rows(kRows);
    std::iota(rows.begin(), rows.end(), 0U);
    std::vector<float> estimate(kRows);
    std::size_t above = 0;
    double raised = 0.0, squares = 0.0;
    for (std::size_t q = 0; q < kQueries; ++q) {
        const float* query = queries.data() + q * dim;
        SketchTarget(sketches, query).estimate(rows.data(), kRows, estimate.data());
        for (std::size_t i = 0; i < kRows; ++i) {
            const double over = static_cast<double>(estimate[i]) -
                                nearness(metric, query, values.data() + i * dim, dim);
            above += over >= 0.0 ? 1 : 0;
            raised += over;
            squares += over * over;
        }
    }
    const double n = kRows * kQueries;
    const double mean = raised / n;
    const double deviation = std::sqrt(squares / n - mean * mean);
    // 1.3 standard deviations of a normal error: 0.903. Rounding a query to four bits adds to it.
    CHECK(static_cast<double>(above) / n > 0.87);
    CHECK(static_cast<double>(above) / n < 0.93);
    CHECK(mean / deviation > 1.1);
    CHECK(mean / deviation < 1.45);
}

TEST_CASE("sketches are the same however they come about", "[row_sketches]") {
    constexpr std::size_t kDim = 130;
    auto values = uneven(2400, kDim, 5);
    const auto whole = stored(values, kDim, Metric::euclidean);
    RowSketches at_once(kDim, Metric::euclidean), threads(kDim, Metric::euclidean);
    at_once.extend(whole, 1);
    threads.extend(whole, 4);

    VectorStore growing(kDim, Metric::euclidean);
    RowSketches in_pieces(kDim, Metric::euclidean);
    for (std::size_t row = 0; row < 2400; row += 200) {
        growing.append({values.data() + row * kDim, 200, kDim});
        in_pieces.extend(growing, 2);
        CHECK(in_pieces.rows() == (row == 0 ? 0 : row + 200));
    }
    RowSketches cut(kDim, Metric::euclidean);
    cut.extend(whole, 2);
    cut.truncate(1100);
    CHECK(cut.rows() == 1100);
    cut.extend(whole, 2);
    RowSketches restored(kDim, Metric::euclidean);
    restored.restore(at_once.centre(), at_once.first(2400));
    for (const auto* other : {&threads, &in_pieces, &cut, &restored}) {
        REQUIRE(other->rows() == 2400);
        CHECK(std::ranges::equal(other->first(2400), at_once.first(2400)));
        CHECK(std::ranges::equal(other->centre(), at_once.centre()));
    }
}

TEST_CASE("a row at the centre, and a query of zeros, are no numbers' end", "[row_sketches]") {
    constexpr std::size_t kDim = 96;
    const auto metric = GENERATE(Metric::dot, Metric::euclidean);
    std::vector<float> values(RowSketches::kCentreRows * kDim, 0.5F);  // each is the mean of all
    const auto store = stored(values, kDim, metric);
    RowSketches sketches(kDim, metric);
    sketches.extend(store, 1);
    const std::vector<std::uint32_t> rows{0, 255};
    for (const float number : {0.0F, 0.5F, -3.0F}) {
        const std::vector<float> query(kDim, number);
        std::vector<float> estimate(2, -1.0F);
        SketchTarget(sketches, query.data()).estimate(rows.data(), 2, estimate.data());
        const double expected = nearness(metric, query.data(), values.data(), kDim);
        CHECK(std::fabs(static_cast<double>(estimate[0]) - expected) <
              1e-4 * (1 + std::fabs(expected)));
        CHECK(estimate[1] == estimate[0]);
    }
}

TEST_CASE("sketches are compared alike by every instruction set", "[row_sketches][kernels]") {
    const std::size_t words = GENERATE(as<std::size_t>{}, 2, 3, 6, 12, 16);
    const std::size_t stride = kernels::sketch_row(64 * words);
    Random random(7);
    std::vector<std::uint64_t> planes(words * kernels::kSketchPlanes);
    for (auto& plane : planes) plane = random.next();
    AlignedVector<std::uint64_t> base(20 * stride / 8);
    for (auto& word : base) word = random.next();
    std::vector<float> expected;
    const kernels::SketchedVector x{planes.data(), words, stride, 0.25, 3.0, 0.4, 777.0, 1.5};
    const std::vector<std::uint32_t> rows{3, 0, 19, 7, 7};
    for (std::uint32_t row = 0; row < 20; ++row) {
        const kernels::SketchHead head{0.125F + static_cast<float>(row), 2.5F, 0.75F, 0.0F};
        std::memcpy(base.data() + row * stride / 8, &head, sizeof(head));
    }
    for (const auto row : rows) {
        const auto* bits = base.data() + row * stride / 8 + sizeof(kernels::SketchHead) / 8;
        double levels = 0.0;
        for (std::size_t j = 0; j < 64 * words; ++j) {
            if ((bits[j / 64] >> (j % 64) & 1U) == 0) continue;
            for (std::size_t p = 0; p < kernels::kSketchPlanes; ++p) {
                const auto plane = planes[j / 64 * kernels::kSketchPlanes + p];
                levels += static_cast<double>((plane >> (j % 64) & 1U) << p);
            }
        }
        const double factor = 0.125 + row;
        expected.push_back(static_cast<float>(0.25 - 0.75 - 3.0 * 2.5 +
                                              factor * (0.4 * (2.0 * levels - 777.0) + 1.5)));
    }
    for (const auto& set : distance_sets()) {
        INFO(set.name << ", " << words << " words");
        std::vector<float> found(rows.size());
        set.kernels->sketches(x, base.data(), rows.data(), rows.size(), found.data());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            CHECK(found[i] == expected[i]);
        }
    }
}
