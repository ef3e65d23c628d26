#include <c10/util/BFloat16.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/encoder.hpp"
#include "support/catch.hpp"
#include "support/kernel_sets.hpp"
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
            if (h.relative_bias != nullptr) {
                dot += h.relative_bias[static_cast<std::ptrdiff_t>(j) -
                                       static_cast<std::ptrdiff_t>(i)];
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
    const auto set = GENERATE(from_range(encoder_sets()));
    const std::size_t seq_len = GENERATE(1u, 2u, 3u, 6u, 7u, 8u, 15u, 16u, 17u, 33u, 128u, 300u);
    const std::size_t head_dim = GENERATE(1u, 12u, 32u, 64u, 65u);
    const bool biased = GENERATE(false, true);
    INFO("isa " << set.name << ", seq_len " << seq_len << ", head_dim " << head_dim << ", biased "
                << biased);
    const auto& kernels = *set.kernels;
    const auto bias = random_floats(2 * seq_len - 1 + kMostLanes, 2);
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
                             1.0F / std::sqrt(static_cast<float>(head_dim)),
                             biased ? bias.data() + seq_len - 1 : nullptr};
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
    const auto set = GENERATE(from_range(encoder_sets()));
    const std::size_t n = 9, d = 4;
    std::vector<float> q(n * d, 100.0F), v(n * d, 2.0F), out(n * d);
    for (std::size_t i = 0; i < d; ++i) q[i] = -100.0F;
    AlignedVector<float> scratch(set.kernels->attention_scratch(n, d));
    set.kernels->attention({q.data(), q.data(), v.data(), out.data(), d, d, n, d, 1.0F},
                           scratch.data());
    for (const float x : out) CHECK_THAT(x, WithinAbs(2.0, 1e-5));
}

namespace {

double slow_epilogue(double x, Epilogue epilogue, double residual) {
    switch (epilogue) {
        case Epilogue::none: return x;
        case Epilogue::gelu: return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
        case Epilogue::gelu_tanh:
            return 0.5 * x * (1.0 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
        case Epilogue::relu: return std::max(x, 0.0);
        case Epilogue::add: return x + residual;
    }
    return x;
}

struct RandomLayer {
    std::size_t in, out;
    std::vector<float> w, bias;
    AlignedVector<float> packed;

    RandomLayer(const EncoderKernels& kernels, std::size_t inputs, std::size_t outputs)
        : in(inputs), out(outputs), w(random_floats(in * out, 101)), bias(random_floats(out, 202)),
          packed(kernels.packed_size(in, out)) {
        kernels.pack_weights(w.data(), in, out, packed.data());
    }
    [[nodiscard]] PackedLayer view() const { return {packed.data(), bias.data(), in, out}; }
};

}  // namespace

TEST_CASE("linear layers agree with the formula on every instruction set", "[encoder_kernels]") {
    const auto set = GENERATE(from_range(encoder_sets()));
    const std::size_t rows = GENERATE(1u, 2u, 3u, 4u, 5u, 7u, 8u, 12u, 13u, 97u);
    const std::size_t in = GENERATE(1u, 2u, 25u, 384u);
    const std::size_t out = GENERATE(1u, 15u, 16u, 23u, 24u, 32u, 33u, 48u, 100u);
    const auto epilogue = GENERATE(Epilogue::none, Epilogue::gelu, Epilogue::gelu_tanh,
                                   Epilogue::relu, Epilogue::add);
    INFO("isa " << set.name << ", rows " << rows << ", in " << in << ", out " << out
                << ", epilogue " << static_cast<int>(epilogue));
    const auto& kernels = *set.kernels;
    const RandomLayer layer(kernels, in, out);
    const auto x = random_floats(rows * in, 303), residual = random_floats(rows * out, 404);
    std::vector<float> y(rows * out + 1, -7.0F);
    const std::size_t panels = (out + kernels.panel_width - 1) / kernels.panel_width;
    kernels.linear(layer.view(), {x.data(), residual.data(), y.data(), rows, 0, panels, epilogue});
    double worst = 0.0;
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t o = 0; o < out; ++o) {
            double sum = layer.bias[o];
            for (std::size_t k = 0; k < in; ++k) {
                sum += static_cast<double>(x[r * in + k]) * layer.w[o * in + k];
            }
            const double expected = slow_epilogue(sum, epilogue, residual[r * out + o]);
            worst = std::max(worst, std::abs(y[r * out + o] - expected));
        }
    }
    CHECK(worst < 2e-5);  // sums of 384 products of up to 1
    CHECK(y[rows * out] == -7.0F);
}

TEST_CASE("a row's result does not depend on the rows and panels beside it", "[encoder_kernels]") {
    const auto set = GENERATE(from_range(encoder_sets()));
    const auto& kernels = *set.kernels;
    const std::size_t in = 50, out = 70, most = 40;
    const RandomLayer layer(kernels, in, out);
    const auto x = random_floats(most * in, 505);
    const std::size_t panels = (out + kernels.panel_width - 1) / kernels.panel_width;
    std::vector<float> all(most * out), some(most * out);
    const auto run = [&](std::size_t first, std::size_t rows, std::size_t begin, std::size_t end) {
        kernels.linear(layer.view(), {x.data() + first * in, nullptr, some.data() + first * out,
                                      rows, begin, end, Epilogue::gelu});
    };
    kernels.linear(layer.view(), {x.data(), nullptr, all.data(), most, 0, panels, Epilogue::gelu});
    for (std::size_t rows = 1; rows <= 20; ++rows) {
        for (std::size_t first = 0; first < most; first += rows) {
            const std::size_t n = std::min(rows, most - first);
            for (std::size_t panel = 0; panel < panels; ++panel) run(first, n, panel, panel + 1);
        }
        INFO("isa " << set.name << ", rows " << rows);
        CHECK(some == all);
    }
}

TEST_CASE("bfloat16 weights give what their own floats give, bit for bit", "[encoder_kernels]") {
    const auto set = GENERATE(from_range(encoder_sets()));
    const auto& kernels = *set.kernels;
    const std::size_t rows = GENERATE(1u, 4u, 5u, 200u);
    const std::size_t in = GENERATE(1u, 25u, 384u);
    const std::size_t out = GENERATE(1u, 24u, 33u, 100u);
    RandomLayer layer(kernels, in, out);
    AlignedVector<std::uint16_t> pairs(kernels.packed_size(bf16_depth(in), out));
    kernels.pack_bf16(layer.w.data(), in, out, pairs.data());
    for (float& weight : layer.w) weight = c10::BFloat16(weight);
    kernels.pack_weights(layer.w.data(), in, out, layer.packed.data());
    const auto x = random_floats(rows * in, 303);
    const std::size_t panels = (out + kernels.panel_width - 1) / kernels.panel_width;
    std::vector<float> expected(rows * out), y(rows * out);
    kernels.linear(layer.view(),
                   {x.data(), nullptr, expected.data(), rows, 0, panels, Epilogue::gelu});
    kernels.linear_widened({pairs.data(), layer.bias.data(), in, out},
                           {x.data(), nullptr, y.data(), rows, 0, panels, Epilogue::gelu});
    INFO("isa " << set.name << ", rows " << rows << ", in " << in << ", out " << out);
    CHECK(y == expected);
}

namespace {

/// The orthonormal Walsh-Hadamard transform, entry by entry.
std::vector<double> slow_rotation(const float* x, std::size_t in) {
    std::size_t block = 1;
    while (block < 64 && in % (2 * block) == 0) block *= 2;
    std::vector<double> y(in, 0.0);
    for (std::size_t i = 0; i < in; ++i) {
        for (std::size_t k = i / block * block; k < (i / block + 1) * block; ++k) {
            const bool minus = std::popcount((i % block) & (k % block)) % 2 == 1;
            y[i] += (minus ? -1.0 : 1.0) * x[k] / std::sqrt(static_cast<double>(block));
        }
    }
    return y;
}

/// A layer of 8 bits, packed, and rows for it.
struct Int8Layer {
    std::size_t in, out, columns, depth;
    AlignedVector<std::int8_t> weights;
    AlignedVector<float> scales, bias;
    AlignedVector<std::int32_t> starts;
    const EncoderKernels& kernels;

    Int8Layer(const EncoderKernels& k, const std::vector<float>& w, const std::vector<float>& b,
              std::size_t inputs)
        : in(inputs), out(b.size()), columns(k.int8_columns(out)), depth(k.int8_depth(in)),
          weights(columns * depth), scales(columns), bias(columns, 0.0F), starts(columns),
          kernels(k) {
        std::vector<float> rotated(out * in);
        for (std::size_t o = 0; o < out; ++o) k.rotate(&w[o * in], in, &rotated[o * in]);
        k.pack_int8(rotated.data(), in, out, {weights.data(), scales.data(), starts.data()});
        std::ranges::copy(b, bias.begin());
    }
    [[nodiscard]] PackedInt8Layer view() const {
        return {weights.data(), scales.data(), starts.data(), bias.data(), in, out};
    }
    /// The weight of byte `k` of a row.
    [[nodiscard]] int weight(std::size_t o, std::size_t k) const {
        const std::size_t width = kernels.int8_panel_width;
        return weights[o / width * width * depth + (k / 4 * width + o % width) * 4 + k % 4];
    }
};

struct Int8Rows {
    std::size_t depth;
    std::vector<std::uint8_t> bytes;
    std::vector<float> scales;

    Int8Rows(const EncoderKernels& kernels, const std::vector<float>& x, std::size_t in)
        : depth(kernels.int8_depth(in)), bytes(x.size() / in * depth), scales(x.size() / in) {
        std::vector<float> room(in);
        for (std::size_t r = 0; r < scales.size(); ++r) {
            scales[r] = kernels.quantize_row(&x[r * in], in, room.data(), &bytes[r * depth]);
        }
    }
};

}  // namespace

TEST_CASE("rotate is the Walsh-Hadamard transform, and its own inverse", "[encoder_kernels]") {
    const auto set = GENERATE(from_range(encoder_sets()));
    const std::size_t in = GENERATE(1u, 2u, 3u, 12u, 24u, 40u, 64u, 96u, 312u, 384u);
    INFO("isa " << set.name << ", in " << in);
    const auto x = random_floats(in, 7);
    std::vector<float> once(in), twice(in);
    set.kernels->rotate(x.data(), in, once.data());
    set.kernels->rotate(once.data(), in, twice.data());
    const auto expected = slow_rotation(x.data(), in);
    for (std::size_t i = 0; i < in; ++i) {
        CHECK_THAT(once[i], WithinAbs(expected[i], 1e-6));
        CHECK_THAT(twice[i], WithinAbs(x[i], 1e-6));
    }
}

TEST_CASE("a row of bytes stands for the rotated row", "[encoder_kernels]") {
    const auto set = GENERATE(from_range(encoder_sets()));
    const std::size_t in = GENERATE(1u, 7u, 25u, 64u, 384u);
    INFO("isa " << set.name << ", in " << in);
    auto x = random_floats(in, 8);
    x[in / 2] = 30.0F;  // an outlier
    const Int8Rows row(*set.kernels, x, in);
    const auto rotated = slow_rotation(x.data(), in);
    std::vector<int> levels, expected;
    for (std::size_t k = 0; k < in; ++k) {
        levels.push_back(row.bytes[k] - 64);
        expected.push_back(static_cast<int>(std::lrint(rotated[k] / row.scales[0])));
    }
    // In whatever order: the products below show that weights have the same.
    std::ranges::sort(levels);
    std::ranges::sort(expected);
    std::size_t apart = 0;
    for (std::size_t k = 0; k < in; ++k) {
        CHECK(std::abs(levels[k] - expected[k]) <= 1);
        apart += levels[k] != expected[k] ? 1 : 0;
    }
    CHECK(apart <= in / 100);  // halves may be rounded either way
    CHECK(std::max(-levels.front(), levels.back()) == 63);
}

TEST_CASE("layers of 8 bits are near those of floats, and the same in any company",
          "[encoder_kernels]") {
    const auto set = GENERATE(from_range(encoder_sets()));
    const auto& kernels = *set.kernels;
    const std::size_t rows = GENERATE(1u, 2u, 3u, 4u, 9u, 50u);
    const std::size_t in = GENERATE(1u, 3u, 4u, 25u, 384u);
    const std::size_t out = GENERATE(1u, 8u, 23u, 24u, 33u, 100u);
    const auto epilogue = GENERATE(Epilogue::none, Epilogue::gelu, Epilogue::add);
    INFO("isa " << set.name << ", rows " << rows << ", in " << in << ", out " << out
                << ", epilogue " << static_cast<int>(epilogue));
    const auto w = random_floats(in * out, 101), bias = random_floats(out, 202);
    const auto x = random_floats(rows * in, 303), residual = random_floats(rows * out, 404);
    const Int8Layer layer(kernels, w, bias, in);
    const Int8Rows inputs(kernels, x, in);
    const std::size_t panels = layer.columns / kernels.int8_panel_width;
    std::vector<float> y(rows * out + 1, -7.0F), alone(rows * out);
    kernels.linear_int8(layer.view(), {inputs.bytes.data(), inputs.scales.data(), residual.data(),
                                       y.data(), rows, 0, panels, epilogue});
    double worst = 0.0;
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t o = 0; o < out; ++o) {
            double sum = bias[o];
            std::int64_t whole = 0;
            for (std::size_t k = 0; k < in; ++k) {
                sum += static_cast<double>(x[r * in + k]) * w[o * in + k];
            }
            for (std::size_t k = 0; k < layer.depth; ++k) {
                whole += (inputs.bytes[r * layer.depth + k] - 64) * layer.weight(o, k);
            }
            const double exact =
                static_cast<double>(whole) * inputs.scales[r] * layer.scales[o] + bias[o];
            const double add = residual[r * out + o];
            CHECK_THAT(y[r * out + o], WithinAbs(slow_epilogue(exact, epilogue, add), 2e-5));
            worst = std::max(worst, std::abs(y[r * out + o] - slow_epilogue(sum, epilogue, add)));
        }
        for (std::size_t panel = 0; panel < panels; ++panel) {
            kernels.linear_int8(
                layer.view(), {&inputs.bytes[r * layer.depth], &inputs.scales[r],
                               &residual[r * out], &alone[r * out], 1, panel, panel + 1, epilogue});
        }
    }
    CHECK(worst < 0.03 * std::sqrt(static_cast<double>(in)) + 0.02);
    CHECK(std::equal(alone.begin(), alone.end(), y.begin()));
    CHECK(y[rows * out] == -7.0F);
}

TEST_CASE("a row of zeros has the scale 0, and the largest levels do not overflow",
          "[encoder_kernels]") {
    const auto set = GENERATE(from_range(encoder_sets()));
    const auto& kernels = *set.kernels;
    const std::size_t in = 4095;  // odd: not rotated, so that every level is the largest
    const float sign = GENERATE(1.0F, -1.0F);
    const std::vector<float> w(in * 3, 2.0F * sign), bias(3, 0.5F);
    const Int8Layer layer(kernels, w, bias, in);
    for (const float value : {0.0F, 3.0F, -3.0F}) {
        const Int8Rows row(kernels, std::vector<float>(in, value), in);
        CHECK((row.scales[0] == 0.0F) == (value == 0.0F));
        std::vector<float> y(3);
        kernels.linear_int8(layer.view(), {row.bytes.data(), row.scales.data(), nullptr, y.data(),
                                           1, 0, 1, Epilogue::none});
        const double expected = 0.5 + 2.0 * in * sign * value;
        for (const float result : y) {
            CHECK_THAT(result, WithinAbs(expected, 1e-6 * std::abs(expected)));
        }
    }
}

TEST_CASE("erf has an absolute error below 5e-7", "[encoder_kernels]") {
    const auto set = GENERATE(from_range(encoder_sets()));
    std::vector<float> x;
    for (float v = -6.0F; v <= 6.0F; v += 0.00037F) x.push_back(v);
    x.insert(x.end(), {0.0F, 1e-30F, 4.0F, -4.0F, 1e30F, -1e30F});
    std::vector<float> y(x.size());
    set.kernels->erf(x.data(), x.size(), y.data());
    double worst = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        worst = std::max(worst, std::abs(y[i] - std::erf(static_cast<double>(x[i]))));
    }
    INFO("isa " << set.name);
    CHECK(worst < 5e-7);
}

TEST_CASE("layer norm agrees with the formula on every instruction set", "[encoder_kernels]") {
    const auto set = GENERATE(from_range(encoder_sets()));
    const std::size_t dim = GENERATE(1u, 7u, 8u, 15u, 16u, 17u, 384u, 768u);
    INFO("isa " << set.name << ", dim " << dim);
    const auto x = random_floats(3 * dim, 1), gamma = random_floats(dim, 2),
               beta = random_floats(dim, 3);
    std::vector<float> out(3 * dim);
    set.kernels->layer_norm(x.data(), gamma.data(), beta.data(), 1e-5F, 3, dim, out.data());
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
    const auto set = GENERATE(from_range(encoder_sets()));
    const std::size_t dim = 19;
    const auto word = random_floats(5 * dim, 1), position = random_floats(4 * dim, 2);
    const auto type = random_floats(2 * dim, 3), gamma = random_floats(dim, 4),
               beta = random_floats(dim, 5);
    std::vector<float> sum(dim), expected(dim), out(dim);
    for (std::size_t i = 0; i < dim; ++i) {
        sum[i] = word[3 * dim + i] + type[1 * dim + i] + position[2 * dim + i];
    }
    const auto& kernels = *set.kernels;
    kernels.layer_norm(sum.data(), gamma.data(), beta.data(), 1e-12F, 1, dim, expected.data());
    kernels.embed_token({position.data(), type.data(), gamma.data(), beta.data(), dim, 1e-12F},
                        word.data() + 3 * dim, 2, 1, out.data());
    CHECK(out == expected);
    std::copy_n(word.data() + 3 * dim, dim, out.data());  // the word's vector where the result goes
    kernels.embed_token({position.data(), type.data(), gamma.data(), beta.data(), dim, 1e-12F},
                        out.data(), 2, 1, out.data());
    CHECK(out == expected);
}

TEST_CASE("exp has a relative error below 2e-7 and underflows to 0", "[encoder_kernels]") {
    const auto set = GENERATE(from_range(encoder_sets()));
    std::vector<float> x;
    for (float v = -87.25F; v <= 80.0F; v += 0.00731F) x.push_back(v);
    x.insert(x.end(), {0.0F, -0.0F, -1e-30F, -0.34657359F, 0.34657359F});
    std::vector<float> y(x.size());
    set.kernels->exp(x.data(), x.size(), y.data());
    double worst = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = std::exp(static_cast<double>(x[i]));
        worst = std::max(worst, std::abs(y[i] - expected) / expected);
    }
    INFO("isa " << set.name);
    CHECK(worst < 2e-7);
    const std::vector<float> far{-88.0F, -1000.0F, -std::numeric_limits<float>::infinity()};
    set.kernels->exp(far.data(), far.size(), y.data());
    for (std::size_t i = 0; i < far.size(); ++i) CHECK(y[i] == 0.0F);
}

TEST_CASE("2^x has a relative error below 1.5e-7 and never reaches 0", "[encoder_kernels]") {
    const auto set = GENERATE(from_range(encoder_sets()));
    std::vector<float> x{0.0F, -0.0F, -1e-30F, -0.5F, -1.0F, -1.5F, -125.0F};
    for (float v = -125.0F; v <= 0.0F; v += 0.00531F) x.push_back(v);
    std::vector<float> y(x.size());
    set.kernels->exp2(x.data(), x.size(), y.data());
    double worst = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = std::exp2(static_cast<double>(x[i]));
        worst = std::max(worst, std::abs(y[i] - expected) / expected);
    }
    INFO("isa " << set.name);
    CHECK(worst < 1.5e-7);
    const std::vector<float> far{-126.0F, -1000.0F, -std::numeric_limits<float>::infinity()};
    set.kernels->exp2(far.data(), far.size(), y.data());
    for (std::size_t i = 0; i < far.size(); ++i) CHECK(y[i] == std::ldexp(1.0F, -125));
}

TEST_CASE("sums of eight products of bytes are exact on every instruction set",
          "[encoder_kernels]") {
    const auto set = GENERATE(from_range(encoder_sets()));
    INFO("isa " << set.name);
    const std::size_t n = 500;
    const auto noise = random_floats(16 * n, 1);
    std::vector<std::uint8_t> x(8 * n);
    std::vector<std::int8_t> w(8 * n);
    for (std::size_t i = 0; i < 8 * n; ++i) {
        // The first are the largest there are.
        x[i] = i < 16 ? 127 : static_cast<std::uint8_t>(64.0F + 63.0F * noise[i]);
        w[i] = static_cast<std::int8_t>(i < 8 ? 63 : i < 16 ? -63 : 63.0F * noise[8 * n + i]);
    }
    std::vector<std::int32_t> sums(n, 1'000'000'000), expected = sums;
    for (std::size_t i = 0; i < 8 * n; ++i) expected[i / 8] += int{x[i]} * int{w[i]};
    set.kernels->dot8(x.data(), w.data(), n, sums.data());
    CHECK(sums == expected);
}

// As "VPDPBUSD" and "VPMADDUBSW" in volume 2 of Intel's Software Developer's Manual define them.
TEST_CASE("VNNI sums bytes of any size, and others saturate in pairs", "[encoder_kernels]") {
    const auto set = GENERATE(from_range(encoder_sets()));
    INFO("isa " << set.name);
    const std::vector<std::uint8_t> x{255, 255, 255, 255, 0, 0, 0, 0};
    std::vector<std::int8_t> w(8, -128);
    std::int32_t low = 5, high = 5;
    set.kernels->dot8(x.data(), w.data(), 1, &low);
    w.assign(8, 127);
    set.kernels->dot8(x.data(), w.data(), 1, &high);
    const bool saturates = set.name.starts_with("avx") &&
                           set.name.find("vnni") == std::string::npos &&
                           set.name.find("bf16") == std::string::npos;
    CHECK(low == 5 + (saturates ? 2 * -32'768 : 4 * 255 * -128));
    CHECK(high == 5 + (saturates ? 2 * 32'767 : 4 * 255 * 127));
}
