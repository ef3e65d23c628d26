#include "search/gemm.hpp"

#include <limits>
#include <stdexcept>

extern "C" {
// Fortran BLAS with 32-bit integers: MKL in libtorch_cpu, or any other.
int sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
           const int* k, const float* alpha, const float* a, const int* lda, const float* b,
           const int* ldb, const float* beta, float* c, const int* ldc);

// MKL's number of threads for the calling thread; weak, because other BLAS libraries lack it.
__attribute__((weak)) int MKL_Set_Num_Threads_Local(int threads);
}

namespace unitvec {
namespace {

/// MKL would start a team of OpenMP threads from each of our threads.
class OneThread {
public:
    OneThread() {
        if (MKL_Set_Num_Threads_Local != nullptr) before_ = MKL_Set_Num_Threads_Local(1);
    }
    ~OneThread() {
        if (MKL_Set_Num_Threads_Local != nullptr) MKL_Set_Num_Threads_Local(before_);
    }
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;

private:
    int before_ = 0;
};

int blas_size(std::size_t n) {
    if (n > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        throw std::length_error("[multiply_transposed] a side is longer than BLAS can count");
    }
    return static_cast<int>(n);
}

}  // namespace

void multiply_transposed(MatrixView<const float> a, MatrixView<const float> b, float* out,
                         std::size_t stride) {
    const int m = blas_size(b.rows), n = blas_size(a.rows), k = blas_size(a.cols);
    const int ldc = blas_size(stride);
    const float one = 1.0F, zero = 0.0F;
    const OneThread guard;
    // BLAS counts by columns: the row-major (n, dim) is its (dim, n), and out comes as (m, n).
    sgemm_("T", "N", &m, &n, &k, &one, b.data, &k, a.data, &k, &zero, out, &ldc);
}

}  // namespace unitvec
