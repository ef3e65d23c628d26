#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/encoder.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"
#include "unitvec/types.hpp"

using namespace unitvec;
using namespace unitvec::kernels;

namespace {

/// softmax(scale * q k^T) v in double, as the formula says.
std::vector<double> slow_attention(const AttentionHead& h) {
    std::vector<double> out(h.seq_len * h.head_dim, 0.0);
    for (std::size_t i = 0; i < h.seq_len; ++i) {
        std::vector<double> weights(h.seq_len);
        double total = 0.0;
        for (std::size_t j = 0; j < h.seq_len; ++j) {
            double dot = 0.0;
            for (std::size_t d = 0; d < h.head_dim; ++d) {
                dot += static_cast<double>(h.q[i * h.stride + d]) * h.k[j * h.stride + d];
            }
            weights[j] = std::exp(dot * h.scale);
            total += weights[j];
        }
        for (std::size_t j = 0; j < h.seq_len; ++j) {
            for (std::size_t d = 0; d < h.head_dim; ++d) {
                out[i * h.head_dim + d] += weights[j] / total * h.v[j * h.stride + d];
            }
        }
    }
    return out;
}

}  // namespace

TEST_CASE("attention agrees with the formula on every instruction set", "[encoder_kernels]") {
    const auto isa = GENERATE(from_range(available_isas()));
    const std::size_t seq_len = GENERATE(1u, 2u, 3u, 6u, 7u, 8u, 15u, 16u, 17u, 33u, 128u, 300u);
    const std::size_t head_dim = GENERATE(1u, 12u, 32u, 64u, 65u);
    INFO("isa " << name(isa) << ", seq_len " << seq_len << ", head_dim " << head_dim);
    const auto& kernels = encoder_kernels(isa);
    const std::size_t stride = 3 * head_dim + 5;
    const auto qkv = random_floats(seq_len * stride, 1);
    std::vector<float> out(seq_len * (head_dim + 3), -7.0F);
    AlignedVector<float> scratch(kernels.attention_scratch(seq_len, head_dim));
    const AttentionHead head{qkv.data(),
                             qkv.data() + head_dim,
                             qkv.data() + 2 * head_dim,
                             out.data(),
                             stride,
                             head_dim + 3,
                             seq_len,
                             head_dim,
                             1.0F / std::sqrt(static_cast<float>(head_dim))};
    kernels.attention(head, scratch.data());
    const auto expected = slow_attention(head);
    double worst = 0.0;
    bool untouched = true;
    for (std::size_t i = 0; i < seq_len; ++i) {
        for (std::size_t d = 0; d < head_dim; ++d) {
            const double got = out[i * (head_dim + 3) + d];
            worst = std::max(worst, std::abs(got - expected[i * head_dim + d]));
        }
        for (std::size_t d = head_dim; d < head_dim + 3; ++d) {
            untouched = untouched && out[i * (head_dim + 3) + d] == -7.0F;
        }
    }
    CHECK(worst < 2e-6);  // values of about 1: some 16 units in the last place
    CHECK(untouched);     // between the rows lies somebody else's memory
}

TEST_CASE("attention survives scores that overflow expf", "[encoder_kernels]") {
    const auto isa = GENERATE(from_range(available_isas()));
    const std::size_t n = 9, d = 4;
    std::vector<float> q(n * d, 100.0F), v(n * d, 2.0F), out(n * d);
    for (std::size_t i = 0; i < d; ++i) q[i] = -100.0F;
    AlignedVector<float> scratch(encoder_kernels(isa).attention_scratch(n, d));
    encoder_kernels(isa).attention({q.data(), q.data(), v.data(), out.data(), d, d, n, d, 1.0F},
                                   scratch.data());
    for (const float x : out) CHECK_THAT(x, WithinAbs(2.0, 1e-5));
}

TEST_CASE("layer norm agrees with the formula on every instruction set", "[encoder_kernels]") {
    const auto isa = GENERATE(from_range(available_isas()));
    const std::size_t dim = GENERATE(1u, 7u, 8u, 15u, 16u, 17u, 384u, 768u);
    INFO("isa " << name(isa) << ", dim " << dim);
    const auto x = random_floats(3 * dim, 1), gamma = random_floats(dim, 2),
               beta = random_floats(dim, 3);
    std::vector<float> out(3 * dim);
    encoder_kernels(isa).layer_norm(x.data(), gamma.data(), beta.data(), 1e-5F, 3, dim, out.data());
    for (std::size_t r = 0; r < 3; ++r) {
        double mean = 0.0, variance = 0.0;
        for (std::size_t i = 0; i < dim; ++i) mean += x[r * dim + i] / static_cast<double>(dim);
        for (std::size_t i = 0; i < dim; ++i) {
            variance += std::pow(x[r * dim + i] - mean, 2) / static_cast<double>(dim);
        }
        for (std::size_t i = 0; i < dim; ++i) {
            const double expected =
                (x[r * dim + i] - mean) / std::sqrt(variance + 1e-5) * gamma[i] + beta[i];
            CHECK_THAT(out[r * dim + i],
                       WithinAbs(expected, 1e-4 * (1.0 + std::abs(expected)) * 0.1));
        }
    }
}

TEST_CASE("embed_token adds its three tables and normalises", "[encoder_kernels]") {
    const auto isa = GENERATE(from_range(available_isas()));
    const std::size_t dim = 19;
    const auto word = random_floats(5 * dim, 1), position = random_floats(4 * dim, 2);
    const auto type = random_floats(2 * dim, 3), gamma = random_floats(dim, 4),
               beta = random_floats(dim, 5);
    std::vector<float> sum(dim), expected(dim), out(dim);
    for (std::size_t i = 0; i < dim; ++i) {
        sum[i] = word[3 * dim + i] + type[1 * dim + i] + position[2 * dim + i];
    }
    const auto& kernels = encoder_kernels(isa);
    kernels.layer_norm(sum.data(), gamma.data(), beta.data(), 1e-12F, 1, dim, expected.data());
    kernels.embed_token(
        {word.data(), position.data(), type.data(), gamma.data(), beta.data(), dim, 1e-12F}, 3, 2,
        1, out.data());
    CHECK(out == expected);
}

TEST_CASE("exp has a relative error below 2e-7 and underflows to 0", "[encoder_kernels]") {
    const auto isa = GENERATE(from_range(available_isas()));
    std::vector<float> x;
    for (float v = -87.25F; v <= 80.0F; v += 0.00731F) x.push_back(v);
    x.insert(x.end(), {0.0F, -0.0F, -1e-30F, -0.34657359F, 0.34657359F});
    std::vector<float> y(x.size());
    encoder_kernels(isa).exp(x.data(), x.size(), y.data());
    double worst = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = std::exp(static_cast<double>(x[i]));
        worst = std::max(worst, std::abs(y[i] - expected) / expected);
    }
    INFO("isa " << name(isa));
    CHECK(worst < 2e-7);
    const std::vector<float> far{-88.0F, -1000.0F, -std::numeric_limits<float>::infinity()};
    encoder_kernels(isa).exp(far.data(), far.size(), y.data());
    for (std::size_t i = 0; i < far.size(); ++i) CHECK(y[i] == 0.0F);
}
