#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "search/row_codec.hpp"
#include "support/catch.hpp"
#include "support/kernel_sets.hpp"
#include "support/random.hpp"
#include "support/reference_search.hpp"

using namespace unitvec;
using kernels::DistanceKernel;
using kernels::RealKernels;

namespace {

using Set = KernelSet<kernels::DistanceKernels>;
using Reference = double (*)(std::span<const float>, std::span<const float>);

struct Case {
    const char* name;
    DistanceKernel RealKernels::* kernel;
    Reference reference;
};
constexpr Case kCases[] = {{"dot", &RealKernels::dot, reference::dot},
                           {"squared_l2", &RealKernels::squared_l2, reference::squared_l2},
                           {"l1", &RealKernels::l1, reference::l1}};

Set any_set() {
    return GENERATE(from_range(distance_sets()));
}

VectorType any_real_type() {
    return GENERATE(VectorType::float32, VectorType::float16, VectorType::int8);
}

// Around the widths of the registers (4, 8, 16), of four of them, and the usual dimensions.
std::size_t any_dim() {
    return GENERATE(std::size_t{1}, std::size_t{3}, std::size_t{4}, std::size_t{7}, std::size_t{8},
                    std::size_t{15}, std::size_t{17}, std::size_t{31}, std::size_t{33},
                    std::size_t{65}, std::size_t{384}, std::size_t{1000});
}

const RealKernels& kernels_of(const Set& set, VectorType type) {
    if (type == VectorType::float16) return set.kernels->float16;
    if (type == VectorType::int8) return set.kernels->int8;
    return set.kernels->float32;
}

/// The float of a finite float16, from its definition.
float float_of_half(std::uint16_t half) {
    const int exponent = half >> 10 & 31;
    const int mantissa = half & 1023;
    const double size =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    return static_cast<float>(half & 0x8000 ? -size : size);
}

/// Rows encoded, and what they stand for, read as their description in vector_type.hpp says.
struct Rows {
    std::size_t dim, bytes;
    std::vector<std::byte> encoded;
    std::vector<float> numbers;

    Rows(VectorType type, const std::vector<float>& values, std::size_t width)
        : dim(width), bytes(row_bytes(type, width)), encoded(values.size() / width * bytes) {
        for (std::size_t i = 0; i < values.size() / dim; ++i) {
            std::byte* row = encoded.data() + i * bytes;
            encode_row(type, {values.data() + i * dim, dim}, row);
            for (std::size_t j = 0; j < dim; ++j) numbers.push_back(number(type, row, j));
        }
    }
    static float number(VectorType type, const std::byte* row, std::size_t j) {
        if (type == VectorType::int8) {
            return read<float>(row) * static_cast<float>(read<std::int8_t>(row + 4 + j));
        }
        if (type == VectorType::float16) return float_of_half(read<std::uint16_t>(row + 2 * j));
        return read<float>(row + 4 * j);
    }
    template <typename T>
    static T read(const std::byte* from) {
        T value;
        std::memcpy(&value, from, sizeof(value));
        return value;
    }
    [[nodiscard]] const std::byte* row(std::size_t i) const { return encoded.data() + i * bytes; }
    [[nodiscard]] std::span<const float> values(std::size_t i) const {
        return {numbers.data() + i * dim, dim};
    }
};

}  // namespace

TEST_CASE("float16 rounds every number to the nearest, ties to even", "[stored_rows]") {
    for (std::uint32_t half = 0; half < 0x7BFF; ++half) {
        const float below = float_of_half(static_cast<std::uint16_t>(half));
        const float above = float_of_half(static_cast<std::uint16_t>(half + 1));
        const float middle = (below + above) / 2.0F;  // exact: a float has 13 more bits
        const std::uint32_t even = half % 2 == 0 ? half : half + 1;
        const std::vector<float> values{below, std::nextafter(middle, below), middle,
                                        std::nextafter(middle, above), -middle};
        const Rows rows(VectorType::float16, values, values.size());
        const auto stored = [&](std::size_t j) {
            return Rows::read<std::uint16_t>(rows.row(0) + 2 * j);
        };
        INFO("half " << half);
        REQUIRE(stored(0) == half);
        REQUIRE(stored(1) == half);
        REQUIRE(stored(2) == even);
        REQUIRE(stored(3) == half + 1);
        REQUIRE(stored(4) == (even | 0x8000U));
    }
}

TEST_CASE("int8 errs by at most half a level", "[stored_rows]") {
    const std::size_t dim = any_dim();
    const float size = GENERATE(1.0F, 1e-20F, 1e17F);
    auto values = random_floats(dim, 1);
    float largest = 0.0F;
    for (float& value : values) {
        value *= size;
        largest = std::max(largest, std::fabs(value));
    }
    const Rows rows(VectorType::int8, values, dim);
    for (std::size_t j = 0; j < dim; ++j) {
        CHECK(std::fabs(rows.numbers[j] - values[j]) <= largest / 127.0F * 0.50001F);
    }
    CHECK(is_sound_row(VectorType::int8, dim, rows.row(0)));
}

TEST_CASE("zero and the smallest numbers are kept or become zero", "[stored_rows]") {
    const VectorType type = any_real_type();
    const std::vector<float> values{0.0F, -0.0F, std::numeric_limits<float>::denorm_min()};
    const Rows rows(type, values, values.size());
    CHECK(is_sound_row(type, values.size(), rows.row(0)));
    for (const float number : rows.numbers) CHECK(std::fabs(number) < 1e-30F);
}

TEST_CASE("rows widen to the numbers that they stand for", "[stored_rows]") {
    const Set set = any_set();
    const VectorType type = any_real_type();
    const std::size_t dim = any_dim();
    const Rows rows(type, random_floats(dim, 1), dim);
    std::vector<float> widened(dim + 1, 7.0F);
    kernels_of(set, type).widen(rows.row(0), dim, widened.data());
    INFO(name(type) << " on " << set.name << ", dim " << dim);
    for (std::size_t j = 0; j < dim; ++j) CHECK(widened[j] == rows.numbers[j]);
    CHECK(widened[dim] == 7.0F);
}

TEST_CASE("every float16 widens as defined", "[stored_rows]") {
    const Set set = any_set();
    std::vector<std::uint16_t> halves;
    for (std::uint32_t half = 0; half < 0x10000; ++half) {
        if ((half & 0x7C00U) != 0x7C00U) halves.push_back(static_cast<std::uint16_t>(half));
    }
    std::vector<float> widened(halves.size());
    set.kernels->float16.widen(halves.data(), halves.size(), widened.data());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < halves.size(); ++i) wrong += widened[i] != float_of_half(halves[i]);
    INFO(set.name);
    CHECK(wrong == 0);
}

TEST_CASE("stored rows are compared as the numbers that they stand for", "[stored_rows]") {
    const Set set = any_set();
    const VectorType type = any_real_type();
    const std::size_t dim = any_dim();
    const Rows x(type, random_floats(dim, 1), dim), y(type, random_floats(dim, 1'000'003), dim);
    for (const auto& c : kCases) {
        const auto& kernel = kernels_of(set, type).*c.kernel;
        INFO(c.name << " of " << name(type) << " on " << set.name << ", dim " << dim);
        const double tolerance = 1e-6 * static_cast<double>(dim + 1);
        CHECK_THAT(static_cast<double>(kernel.pair(x.row(0), y.row(0), dim)),
                   WithinAbs(c.reference(x.values(0), y.values(0)), tolerance));
    }
}

TEST_CASE("queries and stored rows give the bits of pairs of their numbers", "[stored_rows]") {
    const Set set = any_set();
    const VectorType type = any_real_type();
    const std::size_t dim = any_dim();
    const std::size_t count =
        GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{9});
    const Rows query(type, random_floats(dim, 1), dim);
    const Rows base(type, random_floats(dim * 20, 1'000'003), dim);
    const std::vector<std::uint32_t> scattered{19, 0, 7, 7, 3, 18, 1, 2, 11};
    for (const auto& c : kCases) {
        const auto& kernel = kernels_of(set, type).*c.kernel;
        const auto& plain = set.kernels->float32.*c.kernel;
        INFO(c.name << " of " << name(type) << " on " << set.name << ", dim " << dim);
        for (const auto* rows : {static_cast<const std::uint32_t*>(nullptr), scattered.data()}) {
            std::vector<float> of_query(count), of_row(count);
            kernel.rows(query.numbers.data(), base.row(0), dim, rows, count, of_query.data());
            kernel.stored(query.row(0), base.row(0), dim, rows, count, of_row.data());
            for (std::size_t i = 0; i < count; ++i) {
                const std::size_t at = rows == nullptr ? i : rows[i];
                const float expected =
                    plain.pair(query.numbers.data(), base.values(at).data(), dim);
                CHECK(of_query[i] == expected);
                CHECK(of_row[i] == expected);
                CHECK(kernel.pair(base.row(at), query.row(0), dim) == expected);
            }
        }
    }
}

TEST_CASE("codes are compared in whole numbers, as what they stand for", "[stored_rows]") {
    const Set set = any_set();
    const std::size_t dim = any_dim();
    const std::size_t count =
        GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{9});
    const Rows query(VectorType::int8, random_floats(dim, 1), dim);
    const Rows base(VectorType::int8, random_floats(dim * 20, 1'000'003), dim);
    const std::vector<std::uint32_t> scattered{19, 0, 7, 7, 3, 18, 1, 2, 11};
    const auto& codes = set.kernels->integer;
    INFO(set.name << ", dim " << dim);
    for (const auto* rows : {static_cast<const std::uint32_t*>(nullptr), scattered.data()}) {
        std::vector<float> dots(count), squares(count);
        codes.dot(query.row(0), base.row(0), dim, rows, count, dots.data());
        codes.squared_l2(query.row(0), base.row(0), dim, rows, count, squares.data());
        for (std::size_t i = 0; i < count; ++i) {
            const auto values = base.values(rows == nullptr ? i : rows[i]);
            const double tolerance = 1e-6 * static_cast<double>(dim + 1);
            CHECK_THAT(static_cast<double>(dots[i]),
                       WithinAbs(reference::dot(query.values(0), values), tolerance));
            CHECK_THAT(static_cast<double>(squares[i]),
                       WithinAbs(reference::squared_l2(query.values(0), values), tolerance));
        }
    }
}

TEST_CASE("the largest codes of the longest rows do not overflow", "[stored_rows]") {
    const Set set = any_set();
    const std::size_t dim = kernels::IntegerKernels::kMostDim;
    std::vector<float> values(2 * dim, 127.0F);
    std::fill_n(values.begin(), dim, -127.0F);
    const Rows rows(VectorType::int8, values, dim);
    const std::uint32_t both[] = {0, 1};
    float dots[2], squares[2];
    set.kernels->integer.dot(rows.row(0), rows.row(0), dim, both, 2, dots);
    set.kernels->integer.squared_l2(rows.row(0), rows.row(0), dim, both, 2, squares);
    INFO(set.name);
    const float largest = 127.0F * 127.0F * static_cast<float>(dim);
    CHECK(dots[0] == largest);
    CHECK(dots[1] == -largest);
    CHECK(squares[0] == 0.0F);
    CHECK(squares[1] == 4.0F * largest);
}

TEST_CASE("numbers that reach a threshold are found in order", "[stored_rows]") {
    const Set set = any_set();
    const std::size_t count = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{7},
                                       std::size_t{16}, std::size_t{33}, std::size_t{1000});
    auto values = random_floats(count, 1);
    for (std::size_t i = 0; i < count; i += 5) values[i] = 0.25F;  // equal to a threshold below
    for (std::size_t i = 3; i < count; i += 50) values[i] = std::nanf("");
    const float infinity = std::numeric_limits<float>::infinity();
    for (const float threshold : {-infinity, -0.5F, 0.25F, 0.9F, infinity}) {
        std::vector<std::uint32_t> expected, positions(count);
        for (std::uint32_t i = 0; i < count; ++i) {
            if (values[i] >= threshold) expected.push_back(i);
        }
        positions.resize(set.kernels->at_least(values.data(), count, threshold, positions.data()));
        INFO(set.name << ", " << count << " numbers, threshold " << threshold);
        CHECK(positions == expected);
    }
}

TEST_CASE("hamming counts the bits that differ", "[stored_rows]") {
    const Set set = any_set();
    const std::size_t dim = GENERATE(std::size_t{8}, std::size_t{64}, std::size_t{72},
                                     std::size_t{384}, std::size_t{1024});
    const auto noise = random_floats(20 * dim / 8, 1);
    const std::size_t bytes = row_bytes(VectorType::bits, dim);
    std::vector<std::uint8_t> rows(20 * bytes, 0);
    for (std::size_t i = 0; i < 20; ++i) {
        for (std::size_t j = 0; j < dim / 8; ++j) {
            rows[i * bytes + j] = static_cast<std::uint8_t>(127.0F * noise[i * dim / 8 + j] + 127);
        }
    }
    const auto expected = [&](std::size_t i) {
        int count = 0;
        for (std::size_t j = 0; j < bytes; ++j) {
            count += std::popcount(static_cast<std::uint8_t>(rows[j] ^ rows[i * bytes + j]));
        }
        return static_cast<float>(count);
    };
    std::vector<float> all(20);
    const auto& kernel = set.kernels->hamming;
    kernel.rows(rows.data(), rows.data(), dim, nullptr, 20, all.data());
    for (std::size_t i = 0; i < 20; ++i) {
        INFO(set.name << ", dim " << dim << ", row " << i);
        CHECK(all[i] == expected(i));
        CHECK(kernel.pair(rows.data() + i * bytes, rows.data(), dim) == expected(i));
    }
}

TEST_CASE("unsound rows are told from sound ones", "[stored_rows]") {
    const std::vector<float> values{1.0F, -2.0F, 0.5F};
    const auto damaged = [&](VectorType type, std::size_t at, std::vector<std::uint8_t> bytes) {
        Rows rows(type, values, 3);
        if (!bytes.empty()) std::memcpy(rows.encoded.data() + at, bytes.data(), bytes.size());
        return is_sound_row(type, 3, rows.row(0));
    };
    CHECK(damaged(VectorType::float32, 0, {}));
    CHECK_FALSE(damaged(VectorType::float32, 4, {0, 0, 0x80, 0x7F}));  // infinity
    CHECK(damaged(VectorType::float16, 0, {}));
    CHECK_FALSE(damaged(VectorType::float16, 2, {0, 0xFC}));  // -infinity
    CHECK_FALSE(damaged(VectorType::float16, 6, {1}));        // behind the last
    CHECK(damaged(VectorType::int8, 0, {}));
    CHECK_FALSE(damaged(VectorType::int8, 0, {0, 0, 0xC0, 0x7F}));  // NaN as scale
    CHECK_FALSE(damaged(VectorType::int8, 0, {0, 0, 0x80, 0xBF}));  // -1 as scale
    CHECK_FALSE(damaged(VectorType::int8, 5, {0x80}));              // -128
    CHECK_FALSE(damaged(VectorType::int8, 7, {1}));                 // behind the last
}
