#pragma once
/// Linear layers whose products are made of bfloat16 numbers, where the processor multiplies them.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "kernels/encoder.hpp"
#include "unitvec/types.hpp"

namespace unitvec {

/// The weights of a layer in pairs of the depth.
class Bf16Weights {
public:
    /// @param weight  shape (out, in)
    Bf16Weights(const kernels::EncoderKernels& kernels, MatrixView<const float> weight);

    /// @param bias  shape (out)
    [[nodiscard]] kernels::PackedBf16Layer view(std::span<const float> bias) const;

    /// The weights, rounded, shape (out, in).
    [[nodiscard]] Matrix weight() const;

private:
    std::size_t in_;
    std::size_t out_;
    std::size_t panel_width_;
    AlignedVector<std::uint16_t> weights_;
};

/// The inputs of one call, rounded to bfloat16, in memory that one call after another uses.
class Bf16Inputs {
public:
    /// @param x        shape (rows, in)
    /// @param threads  at most this many threads share the work, at least 1
    Bf16Inputs(const kernels::EncoderKernels& kernels, const float* x, std::size_t rows,
               std::size_t in, std::size_t threads);
    ~Bf16Inputs();
    Bf16Inputs(const Bf16Inputs&) = delete;
    Bf16Inputs& operator=(const Bf16Inputs&) = delete;

    [[nodiscard]] const std::uint16_t* row(std::size_t i) const;

private:
    std::size_t depth_;
    std::unique_ptr<AlignedVector<std::uint16_t>> room_;
};

}  // namespace unitvec
