#include "model/linear_int8.hpp"

#include <algorithm>
#include <memory>

#include "model/each_row.hpp"
#include "pool.hpp"

namespace unitvec {
namespace {

Matrix rotated(const kernels::EncoderKernels& kernels, MatrixView<const float> weight) {
    Matrix result(weight.rows, weight.cols);
    for (std::size_t r = 0; r < weight.rows; ++r) {
        kernels.rotate(weight.row(r).data(), weight.cols, result.row(r).data());
    }
    return result;
}

}  // namespace

Int8Weights::Int8Weights(const kernels::EncoderKernels& kernels, MatrixView<const float> weight,
                         std::span<const float> bias)
    : in_(weight.cols), out_(weight.rows),
      weights_(kernels.int8_columns(out_) * kernels.int8_depth(in_)),
      scales_(kernels.int8_columns(out_)), starts_(scales_.size()), bias_(scales_.size(), 0.0F) {
    std::ranges::copy(bias, bias_.begin());
    kernels.pack_int8(rotated(kernels, weight).data(), in_, out_,
                      {weights_.data(), scales_.data(), starts_.data()});
}

kernels::PackedInt8Layer Int8Weights::view() const {
    return {weights_.data(), scales_.data(), starts_.data(), bias_.data(), in_, out_};
}

struct Int8Inputs::Room {
    AlignedVector<std::uint8_t> bytes;
    AlignedVector<float> scales;
    AlignedVector<float> rotated;

    static Pool<Room>& idle() {
        static constinit Pool<Room> pool;
        return pool;
    }
    template <typename T>
    static void at_least(AlignedVector<T>& room, std::size_t size) {
        if (room.size() < size) room = AlignedVector<T>(size);
    }
};

Int8Inputs::Int8Inputs(const kernels::EncoderKernels& kernels, const float* x, std::size_t rows,
                       std::size_t in, std::size_t threads)
    : depth_(kernels.int8_depth(in)), room_(Room::idle().take()) {
    Room::at_least(room_->bytes, rows * depth_);
    Room::at_least(room_->scales, rows);
    Room::at_least(room_->rotated, threads * in);
    each_row(rows, threads, [&](std::size_t r, std::size_t worker) {
        float* room = room_->rotated.data() + worker * in;
        room_->scales[r] =
            kernels.quantize_row(x + r * in, in, room, room_->bytes.data() + r * depth_);
    });
}

Int8Inputs::~Int8Inputs() {
    Room::idle().give_back(std::move(room_));
}

const std::uint8_t* Int8Inputs::row(std::size_t i) const {
    return room_->bytes.data() + i * depth_;
}
const float* Int8Inputs::scales(std::size_t i) const {
    return room_->scales.data() + i;
}

}  // namespace unitvec
