#include "model/linear_bf16.hpp"

#include "model/bfloat16.hpp"
#include "model/each_row.hpp"
#include "pool.hpp"

namespace unitvec {
namespace {

constinit Pool<AlignedVector<std::uint16_t>> idle_rooms;

}  // namespace

Bf16Weights::Bf16Weights(const kernels::EncoderKernels& kernels, MatrixView<const float> weight)
    : in_(weight.cols), out_(weight.rows), panel_width_(kernels.panel_width),
      weights_(kernels.packed_size(kernels::bf16_depth(in_), out_)) {
    kernels.pack_bf16(weight.data, in_, out_, weights_.data());
}

kernels::PackedBf16Layer Bf16Weights::view(std::span<const float> bias) const {
    return {weights_.data(), bias.data(), in_, out_};
}

Matrix Bf16Weights::weight() const {
    const std::size_t depth = kernels::bf16_depth(in_);
    Matrix weight(out_, in_);
    for (std::size_t c = 0; c < out_; ++c) {
        const std::size_t column = c / panel_width_ * panel_width_ * depth + c % panel_width_ * 2;
        for (std::size_t k = 0; k < in_; ++k) {
            weight.row(c)[k] = widened(weights_[column + k / 2 * panel_width_ * 2 + k % 2]);
        }
    }
    return weight;
}

Bf16Inputs::Bf16Inputs(const kernels::EncoderKernels& kernels, const float* x, std::size_t rows,
                       std::size_t in, std::size_t threads)
    : depth_(kernels::bf16_depth(in)), room_(idle_rooms.take()) {
    if (room_->size() < rows * depth_) *room_ = AlignedVector<std::uint16_t>(rows * depth_);
    each_row(rows, threads, [&](std::size_t r, std::size_t) {
        kernels.round_bf16(x + r * in, in, room_->data() + r * depth_);
    });
}

Bf16Inputs::~Bf16Inputs() {
    idle_rooms.give_back(std::move(room_));
}

const std::uint16_t* Bf16Inputs::row(std::size_t i) const {
    return room_->data() + i * depth_;
}

}  // namespace unitvec
