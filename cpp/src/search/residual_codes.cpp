#include "search/residual_codes.hpp"

#include <algorithm>
#include <array>

namespace unitvec {
namespace {

constexpr std::size_t kTile = 256;  // codes added up at a time

}  // namespace

ResidualCodes::ResidualCodes(std::size_t dim, Metric metric, std::size_t m)
    : metric_(metric), quantizer_(dim, m) {}

void ResidualCodes::train(MatrixView<const float> residuals, const RunOptions& run) {
    ProductQuantizer learnt(quantizer_.dim(), m());
    learnt.train(residuals, run);
    quantizer_ = std::move(learnt);
    clear(lists_.size());
}

void ResidualCodes::clear(std::size_t lists) {
    lists_.clear();
    lists_.resize(lists);
}

void ResidualCodes::encode(std::span<const float> x, std::span<const float> centroid,
                           std::uint8_t* code) const {
    std::vector<float> residual(x.size());
    std::ranges::transform(x, centroid, residual.begin(), std::minus<>());
    quantizer_.encode(residual.data(), code);
}

float ResidualCodes::term(std::span<const float> centroid, const std::uint8_t* code) const {
    std::vector<float> residual(centroid.size());
    quantizer_.decode(code, residual.data());
    double sum = 0.0;
    for (std::size_t j = 0; j < residual.size(); ++j) {
        sum += (2.0 * centroid[j] + residual[j]) * residual[j];
    }
    return static_cast<float>(sum);
}

void ResidualCodes::append(std::size_t list, std::span<const float> centroid,
                           const std::uint8_t* code) {
    auto& to = lists_[list];
    to.codes.insert(to.codes.end(), code, code + m());
    if (has_terms()) to.terms.push_back(term(centroid, code));
}

void ResidualCodes::pop_back(std::size_t list) {
    auto& from = lists_[list];
    from.codes.resize(from.codes.size() - m());
    if (has_terms()) from.terms.pop_back();
}

Matrix ResidualCodes::table(const float* query) const {
    Matrix table = quantizer_.dot_table(query);
    if (!has_terms()) return table;
    for (std::size_t p = 0; p < table.rows(); ++p) {
        for (float& product : table.row(p)) product *= 2.0F;
    }
    return table;
}

void ResidualCodes::scan(const Matrix& table, std::size_t list, float nearness,
                         std::span<const std::uint32_t> rows, const RowFilter& filter,
                         TopK& best) const {
    std::array<float, kTile> sums;
    for (std::size_t first = 0; first < rows.size(); first += kTile) {
        const std::size_t count = std::min(kTile, rows.size() - first);
        add_up_codes(table, code(list, first), count, sums.data());
        if (has_terms()) {
            const float* terms = lists_[list].terms.data() + first;
            for (std::size_t i = 0; i < count; ++i) sums[i] -= terms[i];
        }
        for (std::size_t i = 0; i < count; ++i) {
            const Neighbour here{nearness + sums[i], rows[first + i]};
            if (!(here.nearness >= best.threshold())) continue;
            if (filter.takes_all() || filter(here.row)) best.offer(here);
        }
    }
}

std::size_t ResidualCodes::bytes() const {
    std::size_t bytes = quantizer_.bytes();
    for (const auto& list : lists_) {
        bytes += sizeof(list) + list.codes.capacity() + list.terms.capacity() * sizeof(float);
    }
    return bytes;
}

}  // namespace unitvec
