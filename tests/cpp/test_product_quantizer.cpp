#include "search/product_quantizer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "search/residual_codes.hpp"
#include "support/catch.hpp"
#include "support/kernel_sets.hpp"
#include "support/random_vectors.hpp"
#include "support/reference_search.hpp"
#include "unitvec/error.hpp"

using namespace unitvec;

namespace {

constexpr std::size_t kCentroids = ProductQuantizer::kCentroids;

struct Shape {
    std::size_t dim, m;
};

// Equal parts, unequal ones, one part, parts of one number.
Shape any_shape() {
    return GENERATE(Shape{32, 4}, Shape{19, 3}, Shape{7, 1}, Shape{5, 5});
}

ProductQuantizer learnt(const Shape& shape, const Vectors& from, std::size_t threads = 0) {
    ProductQuantizer quantizer(shape.dim, shape.m);
    quantizer.train(from.view, {threads, nullptr});
    return quantizer;
}

std::vector<std::uint8_t> code_of(const ProductQuantizer& quantizer, std::span<const float> x) {
    std::vector<std::uint8_t> code(quantizer.m());
    quantizer.encode(x.data(), code.data());
    return code;
}

std::vector<float> decoded(const ProductQuantizer& quantizer, const std::vector<std::uint8_t>& c) {
    std::vector<float> x(quantizer.dim());
    quantizer.decode(c.data(), x.data());
    return x;
}

double mean_error(const ProductQuantizer& quantizer, MatrixView<const float> vectors) {
    double sum = 0.0;
    for (std::size_t i = 0; i < vectors.rows; ++i) {
        const auto near = decoded(quantizer, code_of(quantizer, vectors.row(i)));
        sum += reference::squared_l2(vectors.row(i), near);
    }
    return sum / static_cast<double>(vectors.rows);
}

}  // namespace

TEST_CASE("no other code stands for a vector nearer to the one encoded", "[product_quantizer]") {
    const Shape shape = any_shape();
    const auto quantizer = learnt(shape, Vectors(700, shape.dim, 1));
    const Vectors others(40, shape.dim, 2);
    for (std::size_t i = 0; i < others.view.rows; ++i) {
        const auto x = others.view.row(i);
        auto code = code_of(quantizer, x);
        const double error = reference::squared_l2(x, decoded(quantizer, code));
        for (std::size_t part = 0; part < shape.m; ++part) {
            auto other = code;
            for (std::size_t c = 0; c < kCentroids; ++c) {
                other[part] = static_cast<std::uint8_t>(c);
                REQUIRE(reference::squared_l2(x, decoded(quantizer, other)) > error - 1e-6);
            }
        }
    }
}

TEST_CASE("the table's products of a code add up to the dot product", "[product_quantizer]") {
    const Shape shape = any_shape();
    const auto quantizer = learnt(shape, Vectors(500, shape.dim, 1));
    const Vectors query(1, shape.dim, 2), others(21, shape.dim, 3);
    const Matrix table = quantizer.dot_table(query.values.data());
    std::vector<std::uint8_t> codes;
    for (std::size_t i = 0; i < others.view.rows; ++i) {
        const auto code = code_of(quantizer, others.view.row(i));
        codes.insert(codes.end(), code.begin(), code.end());
    }
    std::vector<float> sums(others.view.rows);
    add_up_codes(table, codes.data(), sums.size(), sums.data());
    for (std::size_t i = 0; i < sums.size(); ++i) {
        const std::uint8_t* code = codes.data() + i * shape.m;
        const auto near = decoded(quantizer, {code, code + shape.m});
        CHECK_THAT(sums[i], WithinAbs(reference::dot(query.view.row(0), near), 1e-5));
        float alone = 0.0F;
        add_up_codes(table, code, 1, &alone);
        CHECK(alone == sums[i]);  // whatever company it is in
    }
}

TEST_CASE("as many vectors as centroids are kept as they are", "[product_quantizer]") {
    const Shape shape = any_shape();
    const Vectors x(GENERATE(std::size_t{1}, std::size_t{100}, kCentroids), shape.dim, 1);
    CHECK(mean_error(learnt(shape, x), x.view) < 1e-8);  // the nearer of two that almost agree
}

TEST_CASE("centroids of a product quantiser are learnt from all vectors, on any threads",
          "[product_quantizer]") {
    const Shape shape{24, 3};
    const Vectors x(3000, shape.dim, 1);
    const auto quantizer = learnt(shape, x, 1);
    const auto threaded = learnt(shape, x, 3);
    CHECK(std::ranges::equal(quantizer.centroids(), threaded.centroids()));
    // Vectors taken as centroids, in place of means, err by more than a tenth more.
    const auto drawn = learnt(shape, Vectors(kCentroids, shape.dim, 1));
    CHECK(mean_error(quantizer, x.view) < 0.9 * mean_error(drawn, x.view));

    ProductQuantizer copy(shape.dim, shape.m);
    copy.restore(quantizer.centroids());
    CHECK(code_of(copy, x.view.row(7)) == code_of(quantizer, x.view.row(7)));
    int asked = 0;
    const RunOptions interrupted{1, [&] { return ++asked == 3; }};
    CHECK_THROWS_AS(copy.train(x.view, interrupted), Interrupted);
}

TEST_CASE("the usual parts are as long as each other where this can be", "[product_quantizer]") {
    CHECK(ProductQuantizer::usual_m(384) == 48);
    CHECK(ProductQuantizer::usual_m(768) == 96);
    CHECK(ProductQuantizer::usual_m(300) == 50);  // of 6
    CHECK(ProductQuantizer::usual_m(100) == 20);  // of 5
    CHECK(ProductQuantizer::usual_m(17) == 2);    // of 8 and 9
    CHECK(ProductQuantizer::usual_m(3) == 1);
    CHECK(ProductQuantizer::usual_m(1) == 1);
}

TEST_CASE("the kernels of codes agree with the reference", "[product_quantizer]") {
    const auto set = GENERATE(from_range(distance_sets()));
    const std::size_t width =
        GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{8}, std::size_t{13});
    INFO(set.name << ", width " << width);
    const auto x = random_floats(width, 1);
    auto centroids = random_floats(width * kCentroids, 2);
    const std::size_t twin = 200;  // of the first that it equals
    for (std::size_t j = 0; j < width; ++j) {
        centroids[j * kCentroids + 3] = centroids[j * kCentroids + twin] = x[j];
    }
    std::vector<float> products(kCentroids), lengths(kCentroids);
    set.kernels->codes.products(x.data(), width, centroids.data(), products.data());
    for (std::size_t c = 0; c < kCentroids; ++c) {
        std::vector<float> column;
        for (std::size_t j = 0; j < width; ++j) column.push_back(centroids[j * kCentroids + c]);
        CHECK_THAT(products[c], WithinAbs(reference::dot(x, column), 1e-5));
        lengths[c] = static_cast<float>(-reference::dot(column, column) / 2);
    }
    CHECK(set.kernels->codes.nearest(x.data(), width, centroids.data(), lengths.data()) == 3);
    for (std::size_t c = 0; c < kCentroids; c += 5) {  // one column raised above all others
        auto raised = lengths;
        raised[c] = 1e6F;
        CHECK(set.kernels->codes.nearest(x.data(), width, centroids.data(), raised.data()) == c);
    }
}

TEST_CASE("a code is as near as the vector that it stands for", "[product_quantizer]") {
    const Metric metric = GENERATE(Metric::cosine, Metric::dot, Metric::euclidean);
    const Shape shape{19, 3};
    const Vectors x(300, shape.dim, 1), centroid(1, shape.dim, 2), query(1, shape.dim, 3);
    const auto c = centroid.view.row(0), q = query.view.row(0);
    ResidualCodes codes(shape.dim, metric, shape.m);
    codes.train(x.view, {});
    codes.clear(2);
    std::vector<std::uint32_t> rows(x.view.rows);
    std::iota(rows.begin(), rows.end(), 0U);
    std::vector<std::vector<float>> stood_for;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::vector<std::uint8_t> code(shape.m);
        codes.encode(x.view.row(i), c, code.data());
        codes.append(1, c, code.data());
        stood_for.push_back(decoded(codes.quantizer(), code));
        std::ranges::transform(stood_for[i], c, stood_for[i].begin(), std::plus<>());
    }
    const std::vector<Id> ids(rows.size(), 5);
    RowFilter filter(ids, ids.size());
    const bool some = GENERATE(false, true);
    if (some) filter.allow_none();
    for (std::uint32_t row = 0; some && row < rows.size(); row += 3) filter.allow(row);

    const auto nearness = [&](std::span<const float> y) {
        return metric == Metric::euclidean ? -reference::squared_l2(q, y) : reference::dot(q, y);
    };
    TopK best(rows.size());
    codes.scan(codes.table(q.data()), 1, static_cast<float>(nearness(c)), rows, filter, best);
    const auto found = best.take_sorted();
    CHECK(found.size() == filter.eligible());
    for (const auto& neighbour : found) {
        CHECK(filter(neighbour.row));
        CHECK_THAT(neighbour.nearness, WithinAbs(nearness(stood_for[neighbour.row]), 1e-4));
    }
}
