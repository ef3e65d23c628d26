#pragma once
/// Product quantisation (Jegou, Douze and Schmid 2011): a vector is cut into m parts, and of each
/// part the nearest of 256 centroids of that part is noted, one byte.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/distance.hpp"
#include "search/exact_search.hpp"
#include "unitvec/types.hpp"

namespace unitvec {

class ProductQuantizer {
public:
    static constexpr std::size_t kCentroids = kernels::kCodeCentroids;  ///< of each part
    /// Vectors that the centroids are learnt from, where there are so many: 64 for each.
    static constexpr std::size_t kSample = 64 * kCentroids;

    /// Parts where the caller names no number: one for 8 numbers, or for 7 to 4 where this makes
    /// them equally long.
    [[nodiscard]] static std::size_t usual_m(std::size_t dim);

    /// Centroids at 0 until train() or restore().
    /// @param m  parts, from 1 to dim; equally long, or some longer by one number
    ProductQuantizer(std::size_t dim, std::size_t m);

    /// Learns the centroids of each part by k-means (Lloyd 1982): the same on any number of
    /// threads. @param vectors  shape (n, dim), n at least 1
    /// @throws Interrupted, with centroids that are no use
    void train(MatrixView<const float> vectors, const RunOptions& run);

    [[nodiscard]] std::size_t dim() const { return dim_; }
    [[nodiscard]] std::size_t m() const { return m_; }

    /// @param x     shape (dim,)
    /// @param code  shape (m,)
    void encode(const float* x, std::uint8_t* code) const;
    /// The vector that a code stands for.
    void decode(const std::uint8_t* code, float* x) const;

    /// Dot products of a query's parts with all centroids, shape (m, 256): those of a code add up
    /// to the dot product of the query and the vector that the code stands for.
    [[nodiscard]] Matrix dot_table(const float* query) const;

    /// Of each number of a vector, those of the 256 centroids of its part: shape (dim, 256).
    [[nodiscard]] std::span<const float> centroids() const { return centroids_; }
    /// @param centroids  dim * 256 numbers, finite
    void restore(std::span<const float> centroids);

    [[nodiscard]] std::size_t bytes() const;

private:
    /// The first number of a part.
    [[nodiscard]] std::size_t begin(std::size_t part) const { return part * dim_ / m_; }
    [[nodiscard]] std::size_t width(std::size_t part) const {
        return begin(part + 1) - begin(part);
    }
    [[nodiscard]] const float* columns(std::size_t part) const {
        return centroids_.data() + begin(part) * kCentroids;
    }
    void draw(MatrixView<const float> vectors);
    void move_centroids(MatrixView<const float> vectors, std::size_t part, std::uint64_t seed);
    void note_lengths(std::size_t part);
    [[nodiscard]] std::uint8_t nearest(const float* x, std::size_t part) const;

    std::size_t dim_;
    std::size_t m_;
    const kernels::CodeKernels* kernels_;
    AlignedVector<float> centroids_;           // (dim, 256)
    AlignedVector<float> minus_half_lengths_;  // (m, 256): of each centroid, -|c|^2 / 2
};

/// sums[i] = sum over the parts p of table[p][codes[i][p]].
/// @param table  shape (m, 256)
/// @param codes  shape (count, m)
void add_up_codes(const Matrix& table, const std::uint8_t* codes, std::size_t count, float* sums);

}  // namespace unitvec
