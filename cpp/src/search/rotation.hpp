#pragma once
/// A rotation that looks random and takes a microsecond.
#include <cstddef>
#include <vector>

namespace unitvec {

/// An orthogonal matrix, always the same of one `dim`, that spreads a vector evenly over its
/// numbers wherever its length lay before: random signs, then the Walsh-Hadamard matrix over the
/// first 2^m of them, the same over the last 2^m, and all of it once more (Ailon and Chazelle 2009,
/// "The Fast Johnson-Lindenstrauss Transform", with the blocks overlapping where `dim` is no power
/// of two).
class Rotation {
public:
    static constexpr std::size_t kLeastDim = 64;

    /// @param dim  at least kLeastDim
    explicit Rotation(std::size_t dim);

    /// Numbers that apply() needs beside the vector.
    [[nodiscard]] std::size_t room() const { return block_; }
    /// x, of `dim` numbers, becomes the rotated vector.
    /// @param room  for room() numbers
    void apply(float* x, float* room) const;

private:
    std::size_t dim_;
    std::size_t block_;         // the largest power of two up to dim
    std::vector<float> signs_;  // of the four blocks, each with the block's scale in it
};

}  // namespace unitvec
