#pragma once
/// Exact search by way of 8-bit codes: how far nearness by codes can be off, and what it leaves to
/// be compared by the vectors themselves.
#include <span>
#include <vector>

#include "search/top_k.hpp"
#include "search/vector_store.hpp"

namespace unitvec {

/// Whether 8-bit codes of the store's rows, which it does not have, are worth their memory.
[[nodiscard]] bool wants_codes(const VectorStore& store);

/// Distance between a vector and the int8 row that stands for it.
[[nodiscard]] double coding_error(std::span<const float> x, const std::byte* code);

/// A query beside its code.
class CodedQuery {
public:
    /// @param store      of the vectors that it is compared with; they have products
    /// @param row_error  at least the distance between any of these and its code
    CodedQuery(const VectorStore& store, const float* query, double row_error);

    [[nodiscard]] const std::byte* code() const { return code_.data(); }
    /// Bound on |nearness by codes - nearness by vectors|, under Metric::euclidean on the same of
    /// distances that are not squared.
    ///
    /// With errors dq and dx of the two codes: |q . x - (q + dq) . (x + dx)| <= |dq| |x| + (|q| +
    /// |dq|) |dx|, by Cauchy and Schwarz, and distances differ by at most |dq| + |dx|. To either
    /// comes what float32 sums err by; see product_search.cpp.
    [[nodiscard]] double error() const { return error_; }

private:
    std::vector<std::byte> code_;
    double error_;
};

/// Keeps every row that may be among the k nearest, by nearness with an error of at most so much.
///
/// The k rows that are nearest by code are all truly nearer than t - error, with t the nearness by
/// code of the last of them; so what is below t - 2 error by code is not among the k nearest.
class WithinError {
public:
    WithinError(std::size_t k, Metric metric, double error)
        : best_(k), metric_(metric), twice_(2.0 * error) {}

    /// What is below this need not be offered.
    [[nodiscard]] float least() const { return least_; }
    void offer(Neighbour candidate);
    [[nodiscard]] std::vector<Neighbour> take();

private:
    [[nodiscard]] float lowered(double nearness) const;

    TopK best_;
    Metric metric_;
    double twice_;
    float least_ = -std::numeric_limits<float>::infinity();
    std::vector<Neighbour> candidates_;
};

}  // namespace unitvec
