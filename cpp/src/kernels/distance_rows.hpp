#pragma once
/// The loops of the distance kernels over a register type `V`, included once by the source of each
/// instruction set. Everything has internal linkage on purpose (see distance_table.hpp).
///
/// V offers: `Reg`, `kWidth` floats in a register, `kRows` rows worked on at once, zero(), load(p),
/// load_first(p, n) for n < kWidth (the rest zero), add, sub, fma(a, b, c) = a * b + c, abs, sum.
#include "kernels/distance_table.hpp"

namespace unitvec::kernels {
namespace {

struct Dot {
    template <typename V>
    static typename V::Reg step(typename V::Reg x, typename V::Reg y, typename V::Reg sum) {
        return V::fma(x, y, sum);
    }
};

struct SquaredL2 {
    template <typename V>
    static typename V::Reg step(typename V::Reg x, typename V::Reg y, typename V::Reg sum) {
        const auto difference = V::sub(x, y);
        return V::fma(difference, difference, sum);
    }
};

struct L1 {
    template <typename V>
    static typename V::Reg step(typename V::Reg x, typename V::Reg y, typename V::Reg sum) {
        return V::add(sum, V::abs(V::sub(x, y)));
    }
};

/// Four sums a row hide the latency of the additions; they are added up in one fixed order.
constexpr std::size_t kSums = 4;

template <typename V, typename Op, std::size_t Rows>
inline void compare(const float* x, const float* const (&y)[Rows], std::size_t dim, float* out) {
    typename V::Reg sums[Rows][kSums];
    for (auto& row : sums) {
        for (auto& sum : row) sum = V::zero();
    }
    std::size_t j = 0;
    for (; j + kSums * V::kWidth <= dim; j += kSums * V::kWidth) {
        for (std::size_t s = 0; s < kSums; ++s) {
            const auto xs = V::load(x + j + s * V::kWidth);
            for (std::size_t r = 0; r < Rows; ++r) {
                sums[r][s] =
                    Op::template step<V>(xs, V::load(y[r] + j + s * V::kWidth), sums[r][s]);
            }
        }
    }
    for (; j + V::kWidth <= dim; j += V::kWidth) {
        const auto xs = V::load(x + j);
        for (std::size_t r = 0; r < Rows; ++r) {
            sums[r][0] = Op::template step<V>(xs, V::load(y[r] + j), sums[r][0]);
        }
    }
    if (j < dim) {
        const auto xs = V::load_first(x + j, dim - j);
        for (std::size_t r = 0; r < Rows; ++r) {
            sums[r][1] = Op::template step<V>(xs, V::load_first(y[r] + j, dim - j), sums[r][1]);
        }
    }
    for (std::size_t r = 0; r < Rows; ++r) {
        out[r] = V::sum(V::add(V::add(sums[r][0], sums[r][1]), V::add(sums[r][2], sums[r][3])));
    }
}

template <typename V, typename Op>
float pair(const float* x, const float* y, std::size_t dim) {
    const float* const rows[1] = {y};
    float out = 0.0F;
    compare<V, Op, 1>(x, rows, dim, &out);
    return out;
}

constexpr std::size_t kRowsAhead = 4;  // a row takes about a quarter of the time memory needs

/// Asks for the beginning of a scattered row before it is needed; the processor follows the rest of
/// it, and consecutive rows, by itself.
inline void prefetch(const float* row, std::size_t dim) {
    constexpr std::size_t kLine = 64 / sizeof(float);  // floats in a cache line
    constexpr std::size_t kMost = 8 * kLine;
    for (std::size_t j = 0; j < dim && j < kMost; j += kLine) __builtin_prefetch(row + j);
}

template <typename V, typename Op>
void compare_rows(const float* query, const float* base, std::size_t dim, const std::uint32_t* rows,
                  std::size_t count, float* out) {
    constexpr std::size_t kRows = V::kRows;
    const auto row = [=](std::size_t i) { return base + (rows == nullptr ? i : rows[i]) * dim; };
    std::size_t i = 0;
    for (; i + kRows <= count; i += kRows) {
        const float* y[kRows];
        for (std::size_t r = 0; r < kRows; ++r) y[r] = row(i + r);
        if (rows != nullptr) {
            for (std::size_t r = i + kRowsAhead; r < i + kRowsAhead + kRows && r < count; ++r) {
                prefetch(row(r), dim);
            }
        }
        compare<V, Op, kRows>(query, y, dim, out + i);
    }
    for (; i < count; ++i) out[i] = pair<V, Op>(query, row(i), dim);
}

template <typename V, typename Op>
constexpr DistanceKernel make_kernel() {
    return {pair<V, Op>, compare_rows<V, Op>};
}

template <typename V>
constexpr DistanceKernels make_kernels() {
    return {make_kernel<V, Dot>(), make_kernel<V, SquaredL2>(), make_kernel<V, L1>()};
}

}  // namespace
}  // namespace unitvec::kernels
