#include "kernels/distance_rows.hpp"

namespace unitvec::kernels {
namespace {

/// Four floats in the compiler's own vector type: SSE2 on x86-64, NEON on ARM.
struct Portable {
    using Reg = float __attribute__((vector_size(16)));
    static constexpr std::size_t kWidth = 4;
    static constexpr std::size_t kRows = 2;

    static Reg zero() { return Reg{0, 0, 0, 0}; }
    static Reg load(const float* p) { return Reg{p[0], p[1], p[2], p[3]}; }
    static Reg load_first(const float* p, std::size_t n) {
        return Reg{p[0], n > 1 ? p[1] : 0.0F, n > 2 ? p[2] : 0.0F, 0.0F};
    }
    static Reg add(Reg a, Reg b) { return a + b; }
    static Reg sub(Reg a, Reg b) { return a - b; }
    static Reg fma(Reg a, Reg b, Reg c) { return a * b + c; }
    static Reg abs(Reg a) { return a < zero() ? -a : a; }
    static float sum(Reg a) { return (a[0] + a[1]) + (a[2] + a[3]); }
};

}  // namespace

const DistanceKernels kDistancePortable = make_kernels<Portable>();

}  // namespace unitvec::kernels
