#pragma once
/// Codes of the vectors in inverted lists (Jegou, Douze and Schmid 2011, section 4): of each vector
/// its difference from its list's centroid, the residual, product-quantised. They lie list by list,
/// in the order of the lists' rows, so that a search reads on through memory.
#include <cstdint>
#include <span>
#include <vector>

#include "search/product_quantizer.hpp"
#include "search/row_filter.hpp"
#include "search/top_k.hpp"

namespace unitvec {

class ResidualCodes {
public:
    /// @param metric  cosine, dot or euclidean
    /// @param m       bytes of a code
    ResidualCodes(std::size_t dim, Metric metric, std::size_t m);

    /// Learns to code residuals like these, shape (n, dim), and forgets all codes.
    /// @throws Interrupted, with nothing changed
    void train(MatrixView<const float> residuals, const RunOptions& run);
    /// Forgets all codes: there are so many lists from now on, all empty.
    void clear(std::size_t lists);

    [[nodiscard]] const ProductQuantizer& quantizer() const { return quantizer_; }
    [[nodiscard]] std::size_t m() const { return quantizer_.m(); }

    /// The code of a vector in a list. @param code  shape (m,)
    void encode(std::span<const float> x, std::span<const float> centroid,
                std::uint8_t* code) const;
    /// Puts a code behind the others of its list.
    void append(std::size_t list, std::span<const float> centroid, const std::uint8_t* code);
    void pop_back(std::size_t list);
    [[nodiscard]] const std::uint8_t* code(std::size_t list, std::size_t place) const {
        return lists_[list].codes.data() + place * m();
    }

    /// What of a query serves all lists, shape (m, 256).
    [[nodiscard]] Matrix table(const float* query) const;
    /// Offers the eligible of a list's rows, each as near as its code says:
    ///
    ///   q . (c + r) = q . c + q . r
    ///   -|q - (c + r)|^2 = -|q - c|^2 + 2 q . r - (2 c . r + |r|^2)
    ///
    /// with centroid c, the residual r that the code stands for, and the last term kept beside it.
    /// @param nearness  of the query to the list's centroid
    void scan(const Matrix& table, std::size_t list, float nearness,
              std::span<const std::uint32_t> rows, const RowFilter& filter, TopK& best) const;

    [[nodiscard]] std::size_t bytes() const;
    /// Takes over saved centroids of the quantiser, dim * 256 finite numbers.
    void restore(std::span<const float> centroids) { quantizer_.restore(centroids); }

private:
    struct List {
        std::vector<std::uint8_t> codes;  // (n, m)
        std::vector<float> terms;         // (n,): 2 c . r + |r|^2; Euclidean only
    };
    [[nodiscard]] bool has_terms() const { return metric_ == Metric::euclidean; }
    [[nodiscard]] float term(std::span<const float> centroid, const std::uint8_t* code) const;

    Metric metric_;
    ProductQuantizer quantizer_;
    std::vector<List> lists_;
};

}  // namespace unitvec
