#pragma once
/// 8-bit codes of the vectors in inverted lists: copies of a byte a number that lie list by list,
/// in the order of the lists' rows, so that a search reads on through memory, and of float32 a
/// quarter.
#include <span>
#include <vector>

#include "search/vector_store.hpp"

namespace unitvec {

class ListCodes {
public:
    /// @param metric  cosine, dot or euclidean
    ListCodes(std::size_t dim, Metric metric) : dim_(dim), metric_(metric) {}

    /// Forgets all codes: there are so many lists from now on, all empty.
    void clear(std::size_t lists);
    /// Puts the code of a vector behind the others of its list.
    void append(std::size_t list, std::span<const float> x);
    void pop_back(std::size_t list);

    /// The codes of a list, in its order.
    [[nodiscard]] const VectorStore& list(std::size_t list) const { return lists_[list]; }
    /// At least the distance between any of the vectors and its code.
    [[nodiscard]] double largest_error() const { return largest_error_; }
    [[nodiscard]] std::size_t bytes() const;

private:
    std::size_t dim_;
    Metric metric_;
    std::vector<VectorStore> lists_;
    double largest_error_ = 0.0;
};

}  // namespace unitvec
