#include "unitvec/search/nominees.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "unitvec/search/coding_error.hpp"
#include "unitvec/search/stored_scores.hpp"

using unitvec::coding_error;
using unitvec::Id;
using unitvec::MatrixView;
using unitvec::Metric;
using unitvec::nearest_stored;
using unitvec::Nominees;

namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();
using Ids = std::vector<Id>;

void add(Nominees& nominees, const Ids& ids, const std::vector<float>& scores, double error) {
    nominees.add(ids, scores, error);
}

}  // namespace

TEST_CASE("Nothing nominated: nothing is possible, nothing was missed", "[nominees]") {
    Nominees nominees;
    CHECK(nominees.size() == 0);
    CHECK(nominees.missed() == kNone);
    CHECK(nominees.likely(3, 1.0).empty());
    CHECK(nominees.possible(kNone).empty());
    add(nominees, {-1, -1}, {0.0F, 0.0F}, 0.5);
    CHECK(nominees.size() == 0);
    CHECK(nominees.missed() == kNone);
}

TEST_CASE("Nominees of several searches are one list", "[nominees]") {
    Nominees nominees;
    add(nominees, {7, 3, 9}, {0.9F, 0.5F, 0.25F}, 0.125);
    add(nominees, {4, 8, -1}, {0.75F, 0.0F, 0.0F}, 0.0625);
    CHECK(nominees.size() == 5);
    CHECK(nominees.missed() == 0.375);  // the first search was full, the second was not
    CHECK(nominees.likely(2, 0.0) == Ids{4, 7});
    CHECK(nominees.likely(2, 2.0) == Ids{3, 4, 7});
    CHECK(nominees.likely(5, 0.0) == Ids{3, 4, 7, 8, 9});
    CHECK(nominees.likely(6, 0.0) == Ids{3, 4, 7, 8, 9});
    CHECK(nominees.possible(0.625) == Ids{3, 4, 7});
    CHECK(nominees.possible(0.375) == Ids{3, 4, 7, 9});
    CHECK_THROWS_AS(add(nominees, {1}, {}, 0.0), std::invalid_argument);
}

TEST_CASE("The nearest of stored rows, equals by key", "[nominees]") {
    const std::vector<float> query{1.0F, 0.0F};
    const std::vector<float> data{1.0F, 0.0F, 0.0F, 2.0F, 3.0F, 4.0F, 1.0F, 0.0F};
    const MatrixView<const float> rows{data.data(), 4, 2};
    const Ids keys{2, 5, 6, 9};
    const auto found = [&](Metric metric, const Ids& wanted, std::size_t k) {
        std::vector<std::pair<Id, float>> pairs;
        for (const auto& one : nearest_stored(metric, query, keys, rows, wanted, k)) {
            pairs.emplace_back(one.key, one.score);
        }
        return pairs;
    };
    using Pairs = std::vector<std::pair<Id, float>>;
    CHECK(found(Metric::cosine, keys, 3) == Pairs{{2, 1.0F}, {9, 1.0F}, {6, 0.6F}});
    CHECK(found(Metric::dot, {5, 6, 9}, 9) == Pairs{{6, 3.0F}, {9, 1.0F}, {5, 0.0F}});
    CHECK(found(Metric::euclidean, {5, 6}, 1) == Pairs{{5, -std::sqrt(5.0F)}});
    CHECK(found(Metric::manhattan, {5, 6}, 2) == Pairs{{5, -3.0F}, {6, -6.0F}});
    CHECK(found(Metric::dot, {}, 2).empty());
    CHECK_THROWS_AS(found(Metric::dot, {3}, 1), std::invalid_argument);
    CHECK_THROWS_AS(found(Metric::hamming, keys, 1), std::invalid_argument);
}

TEST_CASE("How far codes are from their vectors", "[nominees]") {
    const std::vector<float> vectors{3.0F, 4.0F, 0.0F, 2.0F}, codes{3.0F, 3.0F, 1.0F, 2.0F};
    const std::vector<float> scaled{0.5F, 0.5F, 0.0F, 1.0F};
    const MatrixView<const float> rows{vectors.data(), 2, 2}, decoded{codes.data(), 2, 2};
    const auto dot = coding_error(Metric::dot, rows, decoded);
    CHECK(dot.distance == 1.0);
    CHECK(dot.length == 5.0);
    const auto manhattan = coding_error(Metric::manhattan, rows, decoded);
    CHECK(manhattan.distance == 1.0);
    CHECK(manhattan.length == 7.0);
    const auto cosine = coding_error(Metric::cosine, rows, {scaled.data(), 2, 2});
    CHECK(cosine.distance == Approx(std::sqrt(0.1 * 0.1 + 0.3 * 0.3)));
    CHECK(cosine.length == 1.0);
    CHECK_THROWS_AS(coding_error(Metric::dot, rows, {codes.data(), 1, 2}), std::invalid_argument);
    CHECK_THROWS_AS(coding_error(Metric::hamming, rows, decoded), std::invalid_argument);
}
