#include "search/calibration.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace unitvec {
namespace {

constexpr double kHardlyAnyMissed = 0.9995;
constexpr double kDoubt = 2.0;   // standard errors: other queries find less one time in forty
constexpr double kGrowth = 1.2;  // a curve holds until the index is larger or smaller by this

/// Efforts 1, 2, 3, 4, 6, 8, 12, 16, 24, ...: each step costs about two fifths more.
std::size_t next_effort(std::size_t effort) {
    std::size_t power = 1;
    while (2 * power <= effort) power *= 2;
    const std::size_t between = power + power / 2;
    return effort < between ? between : 2 * power;
}

/// One neighbour is found more often than ten at the same effort, and mixtures say little about it.
std::size_t rounded_up(std::size_t k) {
    std::size_t power = 10;
    while (power < k) power *= 10;
    return power;
}

/// The share of the true neighbours that were found; one that is as near as the last of them is
/// as good.
double recall_of(const std::vector<Neighbour>& truth, const std::vector<Neighbour>& found) {
    if (truth.empty()) return 1.0;
    const float last = truth.back().nearness;
    const std::size_t count = std::min(found.size(), truth.size());
    const auto hits = std::count_if(found.begin(), found.begin() + static_cast<long>(count),
                                    [&](const Neighbour& n) { return n.nearness >= last; });
    return static_cast<double>(hits) / static_cast<double>(truth.size());
}

RecallPoint measured(const Neighbours& truth, std::size_t effort, const EffortSearch& search) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    const Neighbours found = search(effort);
    const std::chrono::duration<double, std::micro> time = Clock::now() - start;
    double sum = 0.0, squares = 0.0;
    for (std::size_t q = 0; q < truth.size(); ++q) {
        const double recall = recall_of(truth[q], found[q]);
        sum += recall;
        squares += recall * recall;
    }
    const auto n = static_cast<double>(truth.size());
    const double mean = sum / n;
    const double variance = std::max(0.0, squares / n - mean * mean);
    return {effort, mean, std::sqrt(variance / n), time.count() / n};
}

bool holds(std::size_t measured_rows, std::size_t rows) {
    const auto before = static_cast<double>(measured_rows), now = static_cast<double>(rows);
    return now <= kGrowth * before && before <= kGrowth * now;
}

}  // namespace

std::vector<RecallPoint> recall_curve(const Neighbours& truth, std::size_t least, std::size_t most,
                                      const EffortSearch& search) {
    std::vector<RecallPoint> curve;
    if (truth.empty()) return curve;
    for (std::size_t effort = least; effort <= most; effort = next_effort(effort)) {
        curve.push_back(measured(truth, effort, search));
        if (curve.back().recall >= kHardlyAnyMissed) break;
    }
    return curve;
}

std::optional<RecallPoint> first_reaching(const std::vector<RecallPoint>& curve, double wanted) {
    const auto reaches = [&](const RecallPoint& p) {
        return p.recall - kDoubt * p.standard_error >= wanted || p.recall >= kHardlyAnyMissed;
    };
    const auto found = std::ranges::find_if(curve, reaches);
    if (found == curve.end() || (wanted > kHardlyAnyMissed && found->recall < wanted)) {
        return std::nullopt;
    }
    return *found;
}

double recall_at(const std::vector<RecallPoint>& curve, std::size_t effort) {
    const auto above = std::ranges::find_if(curve, [&](auto& p) { return p.effort >= effort; });
    if (above == curve.end()) return curve.back().recall;
    if (above == curve.begin() || above->effort == effort) return above->recall;
    const auto& below = *(above - 1);
    const auto log = [](std::size_t x) { return std::log(static_cast<double>(x)); };
    const double share =
        (log(effort) - log(below.effort)) / (log(above->effort) - log(below.effort));
    return below.recall + share * (above->recall - below.recall);
}

const Calibrations::Entry* Calibrations::find(std::size_t k, std::size_t rows) const {
    const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) {
        return entry.k == rounded_up(k) && holds(entry.rows, rows);
    });
    return found == entries_.end() ? nullptr : &*found;
}

void Calibrations::use(Matrix queries) {
    const std::lock_guard measuring(measuring_);
    queries_ = std::move(queries);
    forget();
}

std::vector<RecallPoint> Calibrations::curve(std::size_t k, std::size_t rows,
                                             const Measure& measure) {
    const std::lock_guard measuring(measuring_);
    if (auto curve = known(k, rows)) return *std::move(curve);
    auto curve = measure(rounded_up(k), queries_.view());
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const Entry& entry) { return entry.k == rounded_up(k); });
    entries_.push_back({rounded_up(k), rows, curve});
    return curve;
}

std::optional<std::vector<RecallPoint>> Calibrations::known(std::size_t k, std::size_t rows) const {
    const std::lock_guard lock(mutex_);
    const Entry* entry = find(k, rows);
    if (entry == nullptr) return std::nullopt;
    return entry->curve;
}

std::optional<std::size_t> Calibrations::oldest() const {
    const std::lock_guard lock(mutex_);
    if (entries_.empty()) return std::nullopt;
    return std::ranges::min_element(entries_, {}, &Entry::rows)->rows;
}

void Calibrations::forget() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
}

}  // namespace unitvec
