#include "unitvec/search/stored_scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "search/double_sum.hpp"

namespace unitvec {
namespace {

/// The sum over i of term(x[i], y[i]).
template <typename Term>
double sum(std::span<const float> x, const float* y, Term term) {
    return double_sum(x.size(), [&](std::size_t i) {
        return term(static_cast<double>(x[i]), static_cast<double>(y[i]));
    });
}

// Objects, not functions: one type each, so that every sum is compiled with its own term.
constexpr auto product = [](double x, double y) { return x * y; };
constexpr auto squared_difference = [](double x, double y) { return (x - y) * (x - y); };
constexpr auto difference = [](double x, double y) { return std::abs(x - y); };

double cosine(std::span<const float> x, double xx, const float* y) {
    const double yy = sum({y, x.size()}, y, product);
    return sum(x, y, product) / std::max(std::sqrt(xx * yy), std::numeric_limits<double>::min());
}

/// Compares one query with one row after the other.
class Comparison {
public:
    Comparison(Metric metric, std::span<const float> query) : metric_(metric), query_(query) {
        if (metric == Metric::hamming) {
            throw std::invalid_argument("expected a metric over numbers, got hamming");
        }
        if (metric == Metric::cosine) square_ = sum(query, query.data(), product);
    }

    [[nodiscard]] float operator()(const float* row) const {
        return static_cast<float>(score(row));
    }

private:
    [[nodiscard]] double score(const float* row) const {
        switch (metric_) {
            case Metric::cosine: return cosine(query_, square_, row);
            case Metric::euclidean: return -std::sqrt(sum(query_, row, squared_difference));
            case Metric::manhattan: return -sum(query_, row, difference);
            default: return sum(query_, row, product);
        }
    }

    Metric metric_;
    std::span<const float> query_;
    double square_ = 0.0;
};

void require_size(const char* what, std::size_t expected, std::size_t got) {
    if (expected == got) return;
    throw std::invalid_argument("expected " + std::to_string(expected) + " " + what + ", got " +
                                std::to_string(got));
}

bool nearer(const Scored& a, const Scored& b) {
    return a.score > b.score || (a.score == b.score && a.key < b.key);
}

}  // namespace

void stored_scores(Metric metric, std::span<const float> query, MatrixView<const float> rows,
                   std::span<float> out) {
    require_size("numbers in a row", query.size(), rows.cols);
    require_size("scores", rows.rows, out.size());
    const Comparison compare(metric, query);
    for (std::size_t i = 0; i < rows.rows; ++i) out[i] = compare(rows.row(i).data());
}

std::vector<Scored> nearest_stored(Metric metric, std::span<const float> query,
                                   std::span<const Id> keys, MatrixView<const float> rows,
                                   std::span<const Id> wanted, std::size_t k) {
    require_size("numbers in a row", query.size(), rows.cols);
    require_size("keys", rows.rows, keys.size());
    const Comparison compare(metric, query);
    std::vector<Scored> found;
    found.reserve(wanted.size());
    for (const Id key : wanted) {
        const auto at = std::ranges::lower_bound(keys, key);
        if (at == keys.end() || *at != key) {
            throw std::invalid_argument("expected a key that was read, got " + std::to_string(key));
        }
        found.push_back(
            {key, compare(rows.row(static_cast<std::size_t>(at - keys.begin())).data())});
    }
    const auto end = found.begin() + static_cast<std::ptrdiff_t>(std::min(k, found.size()));
    std::partial_sort(found.begin(), end, found.end(), nearer);
    found.erase(end, found.end());
    return found;
}

}  // namespace unitvec
