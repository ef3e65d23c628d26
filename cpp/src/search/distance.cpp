#include "unitvec/search/distance.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "kernels/distance.hpp"
#include "search/gemm.hpp"
#include "unitvec/error.hpp"
#include "unitvec/normalize.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

using View = MatrixView<const float>;

constexpr std::size_t kTile = 256;  // rows of b compared at once: they stay in the second cache

void require_shapes(const char* function, View a, View b, View out) {
    require_dim(function, "b", a.cols, b.cols);
    if (out.rows != a.rows || out.cols != b.rows) {
        throw_invalid(
            function,
            "out of shape (" + std::to_string(a.rows) + ", " + std::to_string(b.rows) + ")",
            "(" + std::to_string(out.rows) + ", " + std::to_string(out.cols) + ")");
    }
}

/// Calls body(begin, end) over the rows of a; from several threads only when the work is worth
/// starting them (about a millisecond).
template <typename Body>
void for_row_blocks(View a, View b, const Body& body) {
    constexpr std::size_t kWorthThreads = std::size_t{1} << 24;  // multiplications
    const std::size_t threads = a.size() * std::max<std::size_t>(b.rows, 1) < kWorthThreads ? 1 : 0;
    const std::size_t workers = threads == 0 ? default_threads() : threads;
    const std::size_t grain = std::clamp<std::size_t>((a.rows + workers - 1) / workers, 1, kTile);
    parallel_for(a.rows, grain, threads, body);
}

void by_product(View a, View b, MatrixView<float> out) {
    if (out.empty()) return;
    if (a.cols == 0) {
        std::fill_n(out.data, out.size(), 0.0F);
        return;
    }
    for_row_blocks(a, b, [&](std::size_t begin, std::size_t end) {
        multiply_transposed(a.middle_rows(begin, end - begin), b, out.row(begin).data(), b.rows);
    });
}

void by_kernel(View a, View b, MatrixView<float> out, const kernels::DistanceKernel& kernel) {
    for_row_blocks(a, b, [&](std::size_t begin, std::size_t end) {
        for (std::size_t first = 0; first < b.rows; first += kTile) {
            const std::size_t count = std::min(kTile, b.rows - first);
            for (std::size_t i = begin; i < end; ++i) {
                kernel.rows(a.row(i).data(), b.row(first).data(), a.cols, nullptr, count,
                            out.row(i).data() + first);
            }
        }
    });
}

Matrix normalized(View m) {
    Matrix unit(m.rows, m.cols);
    l2_normalize(m, unit.view());
    return unit;
}

float degrees_between(std::span<const float> u, std::span<const float> v) {
    double difference = 0.0, sum = 0.0, dot = 0.0;
    for (std::size_t j = 0; j < u.size(); ++j) {
        const double x = u[j], y = v[j];
        difference += (x - y) * (x - y);
        sum += (x + y) * (x + y);
        dot += x * y;
    }
    // A zero vector has length 0 after normalising: |u - v| = |u + v|, which gives 90 by itself,
    // unless both are zero.
    if (difference == 0.0 && sum == 0.0) return 90.0F;
    const double radians = 2.0 * std::atan2(std::sqrt(difference), std::sqrt(sum));
    return static_cast<float>(radians * 180.0 / std::numbers::pi);
}

}  // namespace

void dot(View a, View b, MatrixView<float> out) {
    require_shapes("dot", a, b, out);
    by_product(a, b, out);
}

void cosine(View a, View b, MatrixView<float> out) {
    require_shapes("cosine", a, b, out);
    const Matrix ua = normalized(a), ub = normalized(b);
    by_product(ua.view(), ub.view(), out);
    // Rounding may leave 1 + 1e-7, which arccos and tests for "at most 1" do not expect.
    std::transform(out.data, out.data + out.size(), out.data,
                   [](float x) { return std::clamp(x, -1.0F, 1.0F); });
}

void euclidean(View a, View b, MatrixView<float> out) {
    require_shapes("euclidean", a, b, out);
    by_kernel(a, b, out, kernels::distance_kernels().float32.squared_l2);
    std::transform(out.data, out.data + out.size(), out.data, [](float x) { return std::sqrt(x); });
}

void manhattan(View a, View b, MatrixView<float> out) {
    require_shapes("manhattan", a, b, out);
    by_kernel(a, b, out, kernels::distance_kernels().float32.l1);
}

void angle(View a, View b, MatrixView<float> out) {
    require_shapes("angle", a, b, out);
    const Matrix ua = normalized(a), ub = normalized(b);
    for_row_blocks(a, b, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            for (std::size_t j = 0; j < b.rows; ++j) {
                out.row(i)[j] = degrees_between(ua.row(i), ub.row(j));
            }
        }
    });
}

}  // namespace unitvec
