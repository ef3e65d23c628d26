#include "search/list_codes.hpp"

#include <algorithm>

#include "search/coded_query.hpp"

namespace unitvec {

void ListCodes::clear(std::size_t lists) {
    lists_.clear();
    lists_.reserve(lists);
    for (std::size_t i = 0; i < lists; ++i) lists_.emplace_back(dim_, metric_, VectorType::int8);
    largest_error_ = 0.0;
}

void ListCodes::append(std::size_t list, std::span<const float> x) {
    auto& codes = lists_[list];
    codes.append({x.data(), 1, dim_});
    const std::byte* code = codes.row(codes.rows() - 1);
    largest_error_ = std::max(largest_error_, coding_error(x, code));
}

void ListCodes::pop_back(std::size_t list) {
    lists_[list].truncate(lists_[list].rows() - 1);
}

std::size_t ListCodes::bytes() const {
    std::size_t bytes = 0;
    for (const auto& list : lists_) bytes += sizeof(list) + list.bytes();
    return bytes;
}

}  // namespace unitvec
