#include "search/coded_query.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "search/row_codec.hpp"
#include "vector_length.hpp"

namespace unitvec {
namespace {

// Shorter vectors lie too densely for 8 bits a number, and take little memory.
constexpr std::size_t kLeastCoded = 32;

}  // namespace

bool wants_codes(const VectorStore& store) {
    return has_products(store.metric()) && store.type() != VectorType::int8 &&
           store.dim() >= kLeastCoded && store.dim() <= kernels::IntegerKernels::kMostDim;
}

double coding_error(std::span<const float> x, const std::byte* code) {
    float scale;
    std::memcpy(&scale, code, sizeof(scale));
    double squares = 0.0;
    for (std::size_t j = 0; j < x.size(); ++j) {
        const auto level = static_cast<std::int8_t>(code[sizeof(scale) + j]);
        const double off = x[j] - static_cast<double>(scale) * level;
        squares += off * off;
    }
    return std::sqrt(squares);
}

CodedQuery::CodedQuery(const VectorStore& store, const float* query, double row_error)
    : code_(row_bytes(VectorType::int8, store.dim())) {
    const std::span<const float> x(query, store.dim());
    encode_row(VectorType::int8, x, code_.data());
    const double own_error = coding_error(x, code_.data());
    const double longest = std::sqrt(store.largest_squared_length());
    const double rounding = 0x1p-23 * static_cast<double>(store.dim() + 16);
    if (store.metric() == Metric::euclidean) {
        error_ = own_error + row_error + rounding * (length(x) + longest);
    } else {
        error_ = own_error * longest + (length(x) + own_error) * row_error +
                 rounding * length(x) * longest;
    }
}

void WithinError::offer(Neighbour candidate) {
    candidates_.push_back(candidate);
    best_.offer(candidate);
    if (best_.full()) least_ = lowered(best_.threshold());
}

std::vector<Neighbour> WithinError::take() {
    std::erase_if(candidates_, [&](const auto& one) { return one.nearness < least_; });
    return std::move(candidates_);
}

/// Nearness that is lower by the error of two comparisons.
float WithinError::lowered(double nearness) const {
    if (metric_ != Metric::euclidean) return static_cast<float>(nearness - twice_);
    const double distance = std::sqrt(std::max(0.0, -nearness)) + twice_;
    return static_cast<float>(-distance * distance);
}

}  // namespace unitvec
