#pragma once
/// Linear layers with weights packed once for the kernels in use.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kernels/encoder.hpp"
#include "model/linear_bf16.hpp"
#include "model/linear_int8.hpp"
#include "unitvec/model/config.hpp"
#include "unitvec/types.hpp"

namespace unitvec {

/// y = epilogue(x W^T + b). A row of y depends on its row of x alone, bit for bit, whatever the
/// number of rows or threads: every element is one sum in a fixed order.
class Linear {
public:
    /// @param weight  shape (out, in)
    /// @param bias    shape (out)
    /// @param dtype   what the weights are kept in; with int8, and with bfloat16 where the
    ///               processor multiplies such numbers, inputs are rounded too
    Linear(MatrixView<const float> weight, std::span<const float> bias,
           DType dtype = DType::float32);

    /// @param x         shape (rows, in)
    /// @param residual  shape (rows, out) with Epilogue::add, else nullptr
    /// @param y         shape (rows, out); not x
    /// @param threads   at most this many threads share the work; 0: default_threads()
    void operator()(const float* x, std::size_t rows, kernels::Epilogue epilogue,
                    const float* residual, float* y, std::size_t threads) const;

    [[nodiscard]] std::size_t in() const { return in_; }
    [[nodiscard]] std::size_t out() const { return out_; }

    /// The weights as they are kept, shape (out, in). @throws std::invalid_argument with int8
    [[nodiscard]] Matrix weight() const;
    [[nodiscard]] std::span<const float> bias() const { return bias_; }

private:
    struct Call;
    template <typename Task, typename Run>
    void share(const Call& call, std::size_t width, const Run& run) const;
    template <typename Layer, typename Kernel>
    void run_floats(const Call& call, const Layer& layer, Kernel kernel) const;
    void run_int8(const Call& call) const;
    void run_bf16(const Call& call) const;

    std::size_t in_;
    std::size_t out_;
    const kernels::EncoderKernels* kernels_;
    AlignedVector<float> weights_;  // one of these three is there
    std::optional<Bf16Weights> bf16_weights_;
    std::optional<Int8Weights> int8_weights_;
    AlignedVector<float> bias_;
};

}  // namespace unitvec
