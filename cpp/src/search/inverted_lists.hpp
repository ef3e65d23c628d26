#pragma once
/// Inverted lists: vectors by the centroid they are nearest to; a search looks through the lists of
/// the centroids nearest to the query (Sivic and Zisserman 2003; Jegou, Douze and Schmid 2011).
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "search/exact_search.hpp"
#include "search/list_codes.hpp"
#include "search/residual_codes.hpp"
#include "search/row_filter.hpp"
#include "search/vector_store.hpp"

namespace unitvec {

/// What lies in the lists for searches to compare, before they compare the vectors of the best.
enum class ListCoding {
    none,       ///< nothing: the vectors are compared at once
    eight_bit,  ///< where wants_codes(): nothing is missed by them
    product,    ///< small, and may miss some
};

class InvertedLists {
public:
    /// Lists over `store`, which must outlive them and stay where it is; none until train().
    /// @param pq_m  bytes of a product-quantised code
    explicit InvertedLists(const VectorStore& store, ListCoding coding = ListCoding::none,
                           std::size_t pq_m = 0);

    /// Lists for `n` vectors where the caller names no number: 4 sqrt(n), with 39 vectors each at
    /// least to learn from.
    [[nodiscard]] static std::size_t usual_count(std::size_t n);
    /// Vectors from which lists pay: below, a scan compares hardly more.
    static constexpr std::size_t kLeast = 1024;

    /// Learns `lists` centroids from these vectors, at least as many, and the codes; empties all
    /// lists.
    /// @throws Interrupted, with nothing changed
    void train(MatrixView<const float> vectors, std::size_t lists, const RunOptions& run);
    /// Learns them from the store's own rows.
    void train(std::size_t lists, const RunOptions& run);
    [[nodiscard]] bool trained() const { return centroids_.rows() > 0; }

    /// Puts rows [rows(), store.rows()) into their lists. @throws Interrupted, with a part of them
    void assign_stored(const RunOptions& run);

    /// Whether the lists no longer suit the vectors: there are four times as many as they were
    /// learnt from, or they have become twice as uneven.
    [[nodiscard]] bool have_drifted() const;

    /// Up to k eligible rows near the query, best first, as near as the store has them.
    /// @param nprobe  lists looked through, at least 1
    [[nodiscard]] std::vector<Neighbour> search(const float* query, std::size_t k,
                                                std::size_t nprobe, const RowFilter& filter) const;

    /// Rows whose vectors a search compares where codes are product-quantised: the best by these.
    [[nodiscard]] static std::size_t candidates(std::size_t k, std::size_t nprobe);

    /// Forgets the last rows, so that at most `rows` remain.
    void truncate(std::size_t rows);
    /// Keeps only these rows, which ascend, numbered anew in that order.
    void keep(std::span<const std::uint32_t> rows);

    [[nodiscard]] std::size_t rows() const { return list_of_row_.size(); }
    [[nodiscard]] std::size_t count() const { return lists_.size(); }
    /// Expected length of the list that a vector is in, to the mean length: 1 where all are equal.
    [[nodiscard]] double imbalance() const;
    [[nodiscard]] std::size_t bytes() const;
    /// Of these, what the codes take.
    [[nodiscard]] std::size_t code_bytes() const;

    /// What is saved: restore() makes the lists of it again.
    struct Parts {
        MatrixView<const float> centroids;          ///< (lists, dim)
        std::span<const std::int32_t> list_of_row;  ///< of every row
        std::span<const float> code_centroids;      ///< (dim, 256); none where there are no codes
    };
    [[nodiscard]] Parts parts() const;
    /// The product-quantised codes of all rows, in their order: shape (rows, pq_m).
    [[nodiscard]] std::vector<std::uint8_t> codes() const;
    /// Restores lists over a store that is complete. @param parts  of finite numbers
    /// @returns an empty string, or what is wrong with them: nothing is trusted
    [[nodiscard]] std::string restore(const Parts& parts, std::span<const std::uint8_t> codes);

private:
    void set_centroids(const Matrix& centroids);
    void forget_rows();
    void put(std::uint32_t row, std::int32_t list, const std::uint8_t* code);
    /// Bytes of a product-quantised code; 0 where there are none.
    [[nodiscard]] std::size_t code_size() const { return codes_ ? codes_->m() : 0; }
    using Probes = std::vector<Neighbour>;  // lists by number, nearest first
    [[nodiscard]] std::vector<Neighbour> near_by_product(const float* query, std::size_t k,
                                                         const Probes& probes,
                                                         const RowFilter& filter) const;
    [[nodiscard]] std::vector<Neighbour> near_by_code(const float* query, std::size_t k,
                                                      const Probes& probes,
                                                      const RowFilter& filter) const;
    [[nodiscard]] std::vector<Neighbour> nearest_by_vector(const float* query, std::size_t k,
                                                           const Probes& probes,
                                                           const RowFilter& filter) const;
    [[nodiscard]] std::span<const float> centroid(std::int32_t list) const;
    [[nodiscard]] std::vector<std::uint8_t> encoded(MatrixView<const float> vectors,
                                                    const Neighbours& nearest,
                                                    const RunOptions& run) const;

    const VectorStore& store_;
    VectorStore centroids_;      // compared as vectors of the index are
    std::vector<Id> all_lists_;  // one for each, none dead
    std::vector<std::vector<std::uint32_t>> lists_;
    std::vector<std::int32_t> list_of_row_;
    std::optional<ResidualCodes> codes_;  // in the order of lists_, as are
    std::optional<ListCodes> eight_bit_;  // these
    std::size_t trained_rows_ = 0;        // rows when the centroids were learnt
    double trained_imbalance_ = 1.0;      // of the vectors that they were learnt from
};

}  // namespace unitvec
