#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "unitvec/model/pooling.hpp"

using namespace unitvec;

TEST_CASE("pooling takes the first, the mean or the largest of a text's own tokens", "[pooling]") {
    const std::vector<float> tokens{1, -2, 3, 4, 5, -6};  // (3, 2)
    const std::vector<std::size_t> offsets{0, 2, 3};
    const MatrixView<const float> in{tokens.data(), 3, 2};
    std::vector<float> out(4);
    const MatrixView<float> view{out.data(), 2, 2};
    pool(in, offsets, {{Pooling::cls}}, view);
    CHECK(out == std::vector<float>{1, -2, 5, -6});
    pool(in, offsets, {{Pooling::mean}}, view);
    CHECK(out == std::vector<float>{2, 1, 5, -6});
    pool(in, offsets, {{Pooling::max}}, view);
    CHECK(out == std::vector<float>{3, 4, 5, -6});
}

TEST_CASE("the mean agrees with a sum in double", "[pooling]") {
    const std::size_t n = GENERATE(1u, 2u, 7u, 64u, 512u), dim = GENERATE(1u, 3u, 384u);
    const auto tokens = random_floats(n * dim, 3);
    const std::vector<std::size_t> offsets{0, n};
    std::vector<float> out(dim);
    pool({tokens.data(), n, dim}, offsets, {{Pooling::mean}}, {out.data(), 1, dim});
    for (std::size_t d = 0; d < dim; ++d) {
        double sum = 0.0;
        for (std::size_t i = 0; i < n; ++i) sum += tokens[i * dim + d];
        CHECK_THAT(out[d], WithinAbs(sum / static_cast<double>(n), 1e-6));
    }
}

TEST_CASE("a text without tokens gives zeros, and wrong shapes are refused", "[pooling]") {
    std::vector<float> out(3, 7.0F);
    const std::vector<std::size_t> offsets{0, 0};
    pool({nullptr, 0, 3}, offsets, {{Pooling::mean}}, {out.data(), 1, 3});
    CHECK(out == std::vector<float>{0, 0, 0});
    CHECK_THROWS_AS(pool({nullptr, 0, 2}, offsets, {{Pooling::mean}}, {out.data(), 1, 3}),
                    std::invalid_argument);
    CHECK_THROWS_AS(pool({nullptr, 0, 3}, offsets, {{Pooling::mean}}, {out.data(), 2, 3}),
                    std::invalid_argument);
}

TEST_CASE("the further modes follow their formulas", "[pooling]") {
    const std::vector<float> tokens{1, 2, 3, 4, 5, 6, 7, 8, 9};  // (9, 1): a text of 4, one of 5
    const std::vector<std::size_t> offsets{0, 4, 9};
    std::vector<float> out(2);
    const auto pooled = [&](Pooling mode, std::size_t skipped) {
        pool({tokens.data(), 9, 1}, offsets, {{mode}, skipped}, {out.data(), 2, 1});
        return out;
    };
    CHECK(pooled(Pooling::mean_sqrt_len, 0)[0] == 5.0F);  // 10 / sqrt(4)
    CHECK(pooled(Pooling::weighted_mean, 0)[0] == 3.0F);  // 30 / 10
    CHECK(pooled(Pooling::last_token, 0) == std::vector<float>{4, 9});
    CHECK(pooled(Pooling::mean, 2) == std::vector<float>{3.5F, 8});
    CHECK(pooled(Pooling::cls, 2) == std::vector<float>{3, 7});
    CHECK_THAT(pooled(Pooling::weighted_mean, 2)[0], WithinAbs(25.0 / 7.0, 1e-6));  // weights 3, 4
    CHECK(pooled(Pooling::max, 4) == std::vector<float>{0, 9});  // nothing is left of the first
    CHECK(pooled(Pooling::mean_words, 0) == std::vector<float>{2.5F, 7});
    CHECK(pooled(Pooling::mean_words, 2) == std::vector<float>{3, 7.5F});
    CHECK(pooled(Pooling::mean_words, 3) == std::vector<float>{0, 8});
    const PoolingPlan wide{{Pooling::mean_words}, 0, 3, 2};  // more special tokens than there are
    pool({tokens.data(), 9, 1}, offsets, wide, {out.data(), 2, 1});
    CHECK(out == std::vector<float>{0, 0});
}

TEST_CASE("several modes lie side by side", "[pooling]") {
    const std::vector<float> tokens{1, -2, 3, 4};  // (2, 2)
    const std::vector<std::size_t> offsets{0, 2};
    std::vector<float> out(4);
    pool({tokens.data(), 2, 2}, offsets, {{Pooling::max, Pooling::cls}}, {out.data(), 1, 4});
    CHECK(out == std::vector<float>{3, 4, 1, -2});
    CHECK_THROWS_AS(pool({tokens.data(), 2, 2}, offsets, {{Pooling::max}}, {out.data(), 1, 4}),
                    std::invalid_argument);
}

TEST_CASE("pooling names go both ways", "[pooling]") {
    for (const auto mode : {Pooling::cls, Pooling::mean, Pooling::max, Pooling::mean_sqrt_len,
                            Pooling::weighted_mean, Pooling::last_token, Pooling::mean_words}) {
        CHECK(pooling_from_name(name(mode)) == mode);
    }
    CHECK_THROWS_WITH(
        pooling_from_name("sum"),
        "[pooling] expected one of cls, mean, max, mean_sqrt_len_tokens, weightedmean, "
        "lasttoken, mean_words, got sum");
}
