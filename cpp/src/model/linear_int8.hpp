#pragma once
/// Linear layers in 8 bits: whole numbers for weights and inputs, exact sums, floats at the end.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "kernels/encoder.hpp"
#include "unitvec/types.hpp"

namespace unitvec {

/// The weights of a layer, rotated, as whole numbers of -63 to 63 with a scale for each column.
class Int8Weights {
public:
    /// @param weight  shape (out, in)
    /// @param bias    shape (out)
    Int8Weights(const kernels::EncoderKernels& kernels, MatrixView<const float> weight,
                std::span<const float> bias);

    [[nodiscard]] kernels::PackedInt8Layer view() const;

private:
    std::size_t in_;
    std::size_t out_;
    AlignedVector<std::int8_t> weights_;
    AlignedVector<float> scales_;
    AlignedVector<std::int32_t> starts_;
    AlignedVector<float> bias_;
};

/// The inputs of one call as bytes, with a scale for each row, in memory that one call after
/// another uses.
class Int8Inputs {
public:
    /// @param x        shape (rows, in)
    /// @param threads  at most this many threads share the work, at least 1
    Int8Inputs(const kernels::EncoderKernels& kernels, const float* x, std::size_t rows,
               std::size_t in, std::size_t threads);
    ~Int8Inputs();
    Int8Inputs(const Int8Inputs&) = delete;
    Int8Inputs& operator=(const Int8Inputs&) = delete;

    [[nodiscard]] const std::uint8_t* row(std::size_t i) const;
    [[nodiscard]] const float* scales(std::size_t i) const;

private:
    struct Room;
    std::size_t depth_;
    std::unique_ptr<Room> room_;
};

}  // namespace unitvec
