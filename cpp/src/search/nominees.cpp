#include "unitvec/search/nominees.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>

namespace unitvec {

void Nominees::add(std::span<const Id> ids, std::span<const float> scores, double error) {
    if (ids.size() != scores.size()) {
        throw std::invalid_argument("expected as many scores as ids, " +
                                    std::to_string(ids.size()) + ", got " +
                                    std::to_string(scores.size()));
    }
    const auto count = static_cast<std::size_t>(std::ranges::find(ids, Id{-1}) - ids.begin());
    for (std::size_t i = 0; i < count; ++i) rows_.push_back({ids[i], scores[i]});
    error_ = std::max(error_, error);
    if (count == ids.size() && count > 0) {
        missed_ = std::max(missed_, static_cast<double>(scores[count - 1]) + error);
    }
}

std::vector<Id> Nominees::likely(std::size_t k, double slack) const {
    if (rows_.size() <= k || k == 0) return from(-std::numeric_limits<double>::infinity());
    std::vector<double> scores(rows_.size());
    std::ranges::transform(rows_, scores.begin(), &Row::score);
    const auto last = scores.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::ranges::nth_element(scores, last, std::greater<>{});
    return from(*last - slack * error_);
}

std::vector<Id> Nominees::possible(double score) const {
    return from(score - error_);
}

std::vector<Id> Nominees::from(double least) const {
    std::vector<Id> ids;
    for (const auto& row : rows_) {
        if (row.score >= least) ids.push_back(row.id);
    }
    std::ranges::sort(ids);
    return ids;
}

}  // namespace unitvec
