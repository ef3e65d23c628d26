#pragma once
/// The best rows by approximate scores, and which of them have to be compared to know the nearest.
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "unitvec/types.hpp"

namespace unitvec {

/// What searches by codes found for one query; several searches go among rows that none shares.
class Nominees {
public:
    /// Adds what one search found.
    /// @param ids     best first; the first -1 ends them, and says that there were no more
    /// @param scores  of the ids, larger is nearer
    /// @param error   bound on |approximate score - score| of every row that was searched
    /// @throws std::invalid_argument if there are not as many ids as scores
    void add(std::span<const Id> ids, std::span<const float> scores, double error);

    [[nodiscard]] std::size_t size() const { return rows_.size(); }

    /// No row that was searched and is not among these scores more; -infinity: these are all.
    [[nodiscard]] double missed() const { return missed_; }

    /// Rows whose approximate score is at most `slack` times the bound of their error behind that
    /// of the k-th, ascending; all where there are no more than k.
    [[nodiscard]] std::vector<Id> likely(std::size_t k, double slack) const;

    /// Rows whose score may be at least so much, ascending.
    [[nodiscard]] std::vector<Id> possible(double score) const;

private:
    struct Row {
        Id id;
        double score;
    };

    [[nodiscard]] std::vector<Id> from(double least) const;

    std::vector<Row> rows_;
    double error_ = 0.0;
    double missed_ = -std::numeric_limits<double>::infinity();
};

}  // namespace unitvec
