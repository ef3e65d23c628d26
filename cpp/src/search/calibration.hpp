#pragma once
/// What recall an approximate search reaches with what effort, measured against exact search.
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "search/exact_search.hpp"
#include "unitvec/search/recall.hpp"

namespace unitvec {

/// A search as it is measured: the neighbours of every sampled query with this effort.
using EffortSearch = std::function<Neighbours(std::size_t effort)>;

/// Recall@k for rising efforts, until hardly anything is missed or `most` is reached.
/// @param truth  the exact neighbours of the sampled queries, at most k each
/// @param least  the first effort, at least k
[[nodiscard]] std::vector<RecallPoint> recall_curve(const Neighbours& truth, std::size_t least,
                                                    std::size_t most, const EffortSearch& search);

/// The first point whose recall is at least `wanted` even if the sample flatters by two standard
/// errors; nothing where none is.
[[nodiscard]] std::optional<RecallPoint> first_reaching(const std::vector<RecallPoint>& curve,
                                                        double wanted);

/// Recall at an effort between those measured, by linear interpolation in its logarithm.
[[nodiscard]] double recall_at(const std::vector<RecallPoint>& curve, std::size_t effort);

/// Curves for the numbers of neighbours that were asked for, while they hold.
class Calibrations {
public:
    /// @param queries  those of use(); no rows: none
    using Measure =
        std::function<std::vector<RecallPoint>(std::size_t k, MatrixView<const float> queries)>;

    /// Measures with these queries from now on, and nothing measured before counts.
    void use(Matrix queries);

    /// The curve for searches of k neighbours in an index of `rows` rows: measured now, where there
    /// is none yet or it has grown by a fifth since. Of k the next of 10, 100, 1,000 ... counts.
    [[nodiscard]] std::vector<RecallPoint> curve(std::size_t k, std::size_t rows,
                                                 const Measure& measure);
    /// The same where it was measured before, else nothing.
    [[nodiscard]] std::optional<std::vector<RecallPoint>> known(std::size_t k,
                                                                std::size_t rows) const;
    /// The rows that the index had when the oldest curve was measured.
    [[nodiscard]] std::optional<std::size_t> oldest() const;
    void forget();  ///< what was measured, not the queries

private:
    struct Entry {
        std::size_t k, rows;
        std::vector<RecallPoint> curve;
    };
    [[nodiscard]] const Entry* find(std::size_t k, std::size_t rows) const;

    std::mutex measuring_;  // held while a curve is measured: who wants one waits for it
    Matrix queries_;        // under measuring_
    mutable std::mutex mutex_;
    std::vector<Entry> entries_;  // under mutex_
};

}  // namespace unitvec
