#include <algorithm>
#include <cmath>
#include <numeric>

#include "search/coded_query.hpp"
#include "search/inverted_lists.hpp"
#include "search/product_search.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"

using namespace unitvec;

namespace {

constexpr std::size_t kDim = 45, kLists = 12;

/// Groups of near-duplicates, closer than a step of their codes, and of very different lengths.
Matrix crowded(std::size_t n, std::uint64_t seed) {
    const auto centres = random_floats(n / 8 * kDim, seed),
               noise = random_floats(n * kDim, seed + 1);
    Matrix x(n, kDim);
    for (std::size_t i = 0; i < n; ++i) {
        const float length = 1.0F + static_cast<float>(i % 5) * 3.0F;
        for (std::size_t j = 0; j < kDim; ++j) {
            x.row(i)[j] = length * (centres[i % (n / 8) * kDim + j] + 1e-3F * noise[i * kDim + j]);
        }
    }
    return x;
}

void normalise(Matrix& x) {
    for (std::size_t i = 0; i < x.rows(); ++i) {
        auto row = x.row(i);
        const float length =
            std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0F));
        for (float& value : row) value /= length;
    }
}

bool same(const std::vector<Neighbour>& a, const std::vector<Neighbour>& b) {
    return std::ranges::equal(a, b, [](const Neighbour& x, const Neighbour& y) {
        return x.row == y.row && x.nearness == y.nearness;
    });
}

struct Searched {
    const VectorStore& store;
    const RowFilter& filter;
    const Matrix& queries;
};

void check_equal(const InvertedLists& coded, const InvertedLists& plain, const Searched& in) {
    for (std::size_t q = 0; q < in.queries.rows(); ++q) {
        const float* query = in.queries.row(q).data();
        for (const std::size_t k : {1u, 10u, 60u}) {
            const std::size_t most = std::min(k, in.filter.eligible());
            INFO("query " << q << ", k " << k);
            REQUIRE(
                same(coded.search(query, k, 3, in.filter), plain.search(query, k, 3, in.filter)));
            REQUIRE(same(coded.search(query, most, kLists, in.filter),
                         scan_one(in.store, query, most, in.filter)));
        }
    }
}

}  // namespace

TEST_CASE("8-bit codes in lists miss nothing that the vectors find", "[list_codes]") {
    const Metric metric = GENERATE(Metric::cosine, Metric::dot, Metric::euclidean);
    const VectorType type = GENERATE(VectorType::float32, VectorType::float16, VectorType::int8);
    Matrix x = crowded(960, 3), queries = crowded(16, 4);
    std::ranges::copy(x.row(7), queries.row(0).begin());
    std::ranges::fill(queries.row(1), 0.0F);
    if (metric == Metric::cosine) normalise(x);
    VectorStore store(kDim, metric, type);
    store.append(x.view());
    InvertedLists coded(store, ListCoding::eight_bit), plain(store);
    coded.train(kLists, {});
    plain.train(kLists, {});
    coded.assign_stored({});
    plain.assign_stored({});
    CHECK((coded.code_bytes() > 0) == (type != VectorType::int8));
    CHECK(plain.code_bytes() == 0);

    std::vector<Id> ids(store.rows(), 1);
    const RowFilter all(ids, ids.size());
    check_equal(coded, plain, {store, all, queries});
    RowFilter some(ids, ids.size());
    some.allow_none();
    for (std::uint32_t row = 0; row < store.rows(); row += 7) some.allow(row);
    check_equal(coded, plain, {store, some, queries});

    coded.truncate(900);
    plain.truncate(900);
    store.truncate(900);
    std::vector<std::uint32_t> kept;
    for (std::uint32_t row = 1; row < 900; row += 2) kept.push_back(row);
    store.keep(kept);
    coded.keep(kept);
    plain.keep(kept);
    const std::vector<Id> left(kept.size(), 1);
    const RowFilter whole(left, left.size());
    check_equal(coded, plain, {store, whole, queries});

    InvertedLists restored(store, ListCoding::eight_bit);
    REQUIRE(restored.restore(coded.parts(), {}).empty());
    CHECK((restored.code_bytes() > 0) == (coded.code_bytes() > 0));
    check_equal(restored, plain, {store, whole, queries});
}

TEST_CASE("what may be among the nearest is kept, whatever the error", "[list_codes]") {
    const Metric metric = GENERATE(Metric::dot, Metric::euclidean);
    const float error = GENERATE(0.0F, 0.01F, 0.3F, 10.0F);
    constexpr std::size_t kRows = 2000, kMost = 20;
    const auto truth = random_floats(kRows, 1), off = random_floats(kRows, 2);
    const auto nearness = [&](float distance) { return -distance * distance; };
    TopK best(kMost);
    WithinError near(kMost, metric, error * 1.0001);
    for (std::uint32_t row = 0; row < kRows; ++row) {
        // Distances, or dot products: each seen with an error of its own.
        const float size = std::clamp(off[row], -1.0F, 1.0F) * error;
        const bool spatial = metric == Metric::euclidean;
        const float real = spatial ? std::fabs(truth[row]) : truth[row];
        const float seen = spatial ? nearness(std::max(0.0F, real + size)) : real + size;
        best.offer({spatial ? nearness(real) : real, row});
        if (seen >= near.least()) near.offer({seen, row});
    }
    const auto kept = near.take();
    for (const auto& one : best.take_sorted()) {
        INFO("row " << one.row);
        CHECK(std::ranges::any_of(kept, [&](const auto& other) { return other.row == one.row; }));
    }
    CHECK(kept.size() >= kMost);
    if (error == 0.0F) CHECK(kept.size() == kMost);
}
