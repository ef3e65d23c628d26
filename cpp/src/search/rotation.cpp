#include "search/rotation.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "search/random.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kCols = 16;  // of the matrix that a block is looked at as
constexpr std::size_t kBlocks = 4;
constexpr std::uint64_t kSeed = 0x5EED;

/// H x of each column of a row-major matrix (rows, cols), without its scale; rows is a power of 2.
void transform_columns(float* x, std::size_t rows, std::size_t cols) {
    for (std::size_t half = cols; half < rows * cols; half *= 2) {
        for (std::size_t begin = 0; begin < rows * cols; begin += 2 * half) {
            float* upper = x + begin;
            float* lower = upper + half;
            for (std::size_t i = 0; i < half; ++i) {
                const float a = upper[i], b = lower[i];
                upper[i] = a + b;
                lower[i] = a - b;
            }
        }
    }
}

void transpose(const float* from, std::size_t rows, std::size_t cols, float* to) {
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < cols; ++j) to[j * rows + i] = from[i * cols + j];
    }
}

}  // namespace

Rotation::Rotation(std::size_t dim)
    : dim_(dim), block_(std::bit_floor(dim)), signs_(kBlocks * block_) {
    Random random(kSeed);
    const float scale = 1.0F / std::sqrt(static_cast<float>(block_));
    for (float& sign : signs_) sign = random.next() >> 63 == 0 ? scale : -scale;
}

void Rotation::apply(float* x, float* room) const {
    const std::size_t rows = block_ / kCols;
    for (std::size_t block = 0; block < kBlocks; ++block) {
        const float* signs = signs_.data() + block * block_;
        float* from = x + (block % 2 == 0 ? 0 : dim_ - block_);
        for (std::size_t i = 0; i < block_; ++i) from[i] *= signs[i];
        // H of a block is that of the rows times that of the columns. The transposed result is
        // another order of the same numbers, which is as good.
        transform_columns(from, rows, kCols);
        transpose(from, rows, kCols, room);
        transform_columns(room, kCols, rows);
        std::copy(room, room + block_, from);
    }
}

}  // namespace unitvec
