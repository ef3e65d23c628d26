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

std::vector<KernelSet<EncoderKernels>> bf16_sets() {
    auto sets = encoder_sets();
    std::erase_if(sets, [](const auto& set) { return set.kernels->linear_bf16 == nullptr; });
    return sets;
}

/// A random layer and inputs, packed for the kernels and rounded for the reference.
struct Layer {
    const EncoderKernels& kernels;
    std::size_t rows, in, out;
    std::vector<float> w, x, bias, residual;
    AlignedVector<std::uint16_t> packed, inputs;

    Layer(const EncoderKernels& set, std::size_t n, std::size_t depth, std::size_t columns)
        : kernels(set), rows(n), in(depth), out(columns), w(random_floats(in * out, 1)),
          x(random_floats(rows * in, 2)), bias(random_floats(out, 3)),
          residual(random_floats(rows * out, 4)), packed(set.packed_size(bf16_depth(in), out)),
          inputs(rows * bf16_depth(in)) {
        kernels.pack_bf16(w.data(), in, out, packed.data());
        for (std::size_t r = 0; r < rows; ++r) {
            kernels.round_bf16(x.data() + r * in, in, inputs.data() + r * bf16_depth(in));
        }
        for (float& number : w) number = c10::BFloat16(number);
        for (float& number : x) number = c10::BFloat16(number);
    }
    [[nodiscard]] std::size_t panels() const {
        return (out + kernels.panel_width - 1) / kernels.panel_width;
    }
    void run(std::size_t row, std::size_t count, std::size_t first, std::size_t last,
             Epilogue epilogue, float* y) const {
        kernels.linear_bf16({packed.data(), bias.data(), in, out},
                            {inputs.data() + row * bf16_depth(in), residual.data() + row * out,
                             y + row * out, count, first, last, epilogue});
    }
};

}  // namespace

TEST_CASE("a set that multiplies bfloat16 is tested on every machine", "[linear_bf16]") {
    CHECK_FALSE(bf16_sets().empty());
}

// Both sides are rounded alike, so each product is exact and what remains is the rounding of
// float32 sums: at most in / 2 pairs of additions of a sum below in * 1, each off by 2^-24 of it.
// Random signs keep the sums near sqrt(in), some 20 for 384, and the errors near sqrt(in) * 20 *
// 6e-8.
TEST_CASE("bfloat16 layers agree with the formula on rounded numbers", "[linear_bf16]") {
    const auto set = GENERATE(from_range(bf16_sets()));
    const std::size_t rows = GENERATE(1u, 2u, 5u, 11u, 12u, 13u, 97u);
    const std::size_t in = GENERATE(1u, 2u, 25u, 384u);
    const std::size_t out = GENERATE(1u, 15u, 32u, 33u, 100u);
    const auto epilogue = GENERATE(Epilogue::none, Epilogue::relu, Epilogue::add);
    INFO("isa " << set.name << ", rows " << rows << ", in " << in << ", out " << out
                << ", epilogue " << static_cast<int>(epilogue));
    const Layer layer(*set.kernels, rows, in, out);
    std::vector<float> y(rows * out + 1, -7.0F);
    layer.run(0, rows, 0, layer.panels(), epilogue, y.data());
    double worst = 0.0;
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t o = 0; o < out; ++o) {
            double expected = layer.bias[o];
            for (std::size_t k = 0; k < in; ++k) {
                expected += static_cast<double>(layer.x[r * in + k]) * layer.w[o * in + k];
            }
            if (epilogue == Epilogue::add) expected += layer.residual[r * out + o];
            if (epilogue == Epilogue::relu) expected = std::max(expected, 0.0);
            worst = std::max(worst, std::abs(y[r * out + o] - expected));
        }
    }
    CHECK(worst < 3e-5);
    CHECK(y[rows * out] == -7.0F);
}

TEST_CASE("a bfloat16 row's result does not depend on the rows and panels beside it",
          "[linear_bf16]") {
    const auto set = GENERATE(from_range(bf16_sets()));
    const std::size_t most = 30, out = 70;
    const Layer layer(*set.kernels, most, 51, out);
    std::vector<float> all(most * out), some(most * out);
    layer.run(0, most, 0, layer.panels(), Epilogue::gelu, all.data());
    for (std::size_t rows = 1; rows <= 14; ++rows) {
        some.assign(some.size(), 0.0F);
        for (std::size_t first = 0; first < most; first += rows) {
            for (std::size_t panel = 0; panel < layer.panels(); ++panel) {
                layer.run(first, std::min(rows, most - first), panel, panel + 1, Epilogue::gelu,
                          some.data());
            }
        }
        INFO("isa " << set.name << ", rows " << rows);
        CHECK(some == all);
    }
}

TEST_CASE("inputs become the nearest bfloat16, ties to even", "[linear_bf16]") {
    const auto set = GENERATE(from_range(bf16_sets()));
    INFO("isa " << set.name);
    auto x = random_floats(1001, 5);
    const auto from_bits = [](std::uint32_t bits) { return std::bit_cast<float>(bits); };
    // Half-way between two neighbours, even below and above; the next beside; what rounds to
    // infinity.
    x.insert(x.end(), {from_bits(0x3F808000), from_bits(0x3F818000), from_bits(0x3F808001),
                       from_bits(0x3F817FFF), from_bits(0x7F7FFFFF), -0.0F, from_bits(0x00008000),
                       std::numeric_limits<float>::infinity()});
    std::vector<std::uint16_t> found(bf16_depth(x.size()) + 1, 0xABCD);
    set.kernels->round_bf16(x.data(), x.size(), found.data());
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(found[i] == c10::BFloat16(x[i]).x);
    CHECK(found[x.size()] == 0);  // 1009 numbers are made a whole number of pairs
    CHECK(found[x.size() + 1] == 0xABCD);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    set.kernels->round_bf16(&nan, 1, found.data());
    CHECK(std::isnan(from_bits(std::uint32_t{found[0]} << 16)));
}

// One pair at a time, as "VDPBF16PS" in volume 2 of Intel's Software Developer's Manual defines it.
TEST_CASE("a pair of bfloat16 products is summed as the instruction says", "[linear_bf16]") {
    struct Sum {
        float start, x0, x1, w0, w1, expected;
    };
    const auto two_to = [](int exponent) { return std::ldexp(1.0F, exponent); };
    const auto sum = GENERATE_COPY(values<Sum>({
        {0.0F, 2.0F, 3.0F, 5.0F, 7.0F, 31.0F},
        // The upper product comes first, and is lost in 2^30 before that is taken away.
        {two_to(30), -two_to(15), 1.0F, two_to(15), 1.0F, 0.0F},
        // Each addition is rounded: twice half a unit of the last place, each to even, leave 1.
        {1.0F, two_to(-24), two_to(-24), 1.0F, 1.0F, 1.0F},
        // A subnormal result is 0, and so is a subnormal factor.
        {0.0F, two_to(-80), 0.0F, two_to(-60), 0.0F, 0.0F},
        {0.0F, two_to(-130), 0.0F, two_to(100), 0.0F, 0.0F},
    }));
    const auto set = GENERATE(from_range(bf16_sets()));
    INFO("isa " << set.name << ", expected " << sum.expected);
    // What the sum starts from comes before, as a pair of its own.
    const std::vector<float> w{1.0F, 0.0F, sum.w0, sum.w1}, x{sum.start, 0.0F, sum.x0, sum.x1};
    AlignedVector<std::uint16_t> packed(set.kernels->packed_size(4, 1)), inputs(4);
    set.kernels->pack_bf16(w.data(), 4, 1, packed.data());
    set.kernels->round_bf16(x.data(), 4, inputs.data());
    const float none = 0.0F;
    float y = -7.0F;
    set.kernels->linear_bf16({packed.data(), &none, 4, 1},
                             {inputs.data(), nullptr, &y, 1, 0, 1, Epilogue::none});
    CHECK(y == sum.expected);
}
