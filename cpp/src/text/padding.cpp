#include "unitvec/text/padding.hpp"

#include <algorithm>

namespace unitvec {
namespace {

std::size_t columns(std::span<const Encoding* const> encodings, const Padding& padding) {
    std::size_t cols = padding.length;
    for (const auto* e : encodings) cols = std::max(cols, e->size());
    const auto step = std::max<std::size_t>(padding.multiple_of, 1);
    return (cols + step - 1) / step * step;
}

template <typename T>
void copy_row(const std::vector<T>& row, std::vector<std::int64_t>& to, std::size_t at) {
    std::ranges::copy(row, to.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

PaddedBatch pad(std::span<const Encoding* const> encodings, const Padding& padding) {
    PaddedBatch batch;
    batch.rows = encodings.size();
    batch.cols = columns(encodings, padding);
    const auto size = batch.rows * batch.cols;
    batch.input_ids.assign(size, padding.pad_id);
    batch.token_type_ids.assign(size, 0);
    batch.attention_mask.assign(size, 0);
    batch.special_tokens_mask.assign(size, 1);
    batch.offsets.assign(size * 2, 0);
    for (std::size_t row = 0; row < batch.rows; ++row) {
        const Encoding& e = *encodings[row];
        const bool left = padding.side == TruncationSide::left;
        const auto at = row * batch.cols + (left ? batch.cols - e.size() : 0);
        copy_row(e.ids, batch.input_ids, at);
        copy_row(e.type_ids, batch.token_type_ids, at);
        copy_row(e.attention_mask, batch.attention_mask, at);
        copy_row(e.special_tokens_mask, batch.special_tokens_mask, at);
        for (std::size_t i = 0; i < e.size(); ++i) {
            batch.offsets[2 * (at + i)] = e.offsets[i].begin;
            batch.offsets[2 * (at + i) + 1] = e.offsets[i].end;
        }
    }
    return batch;
}

}  // namespace unitvec
