#include "search/hnsw_target.hpp"

#include "search/row_codec.hpp"

namespace unitvec {

HnswTarget::HnswTarget(const GraphVectors& vectors, const float* query)
    : vectors_(vectors), query_(query) {
    if (vectors.codes == nullptr) return;
    code_.resize(vectors.codes->row_bytes());
    encode_row(VectorType::int8, {query, vectors.store.dim()}, code_.data());
    row_ = code_.data();
}

HnswTarget::HnswTarget(const GraphVectors& vectors, std::uint32_t row)
    : vectors_(vectors), row_((vectors.codes ? *vectors.codes : vectors.store).row(row)),
      number_(row) {}

void HnswTarget::sketch() {
    if (vectors_.sketches == nullptr) return;
    if (query_ != nullptr) {
        sketch_.emplace(*vectors_.sketches, query_);
        return;
    }
    std::vector<float> numbers(vectors_.store.dim());
    vectors_.store.widen(number_, numbers.data());
    sketch_.emplace(*vectors_.sketches, numbers.data());
}

void HnswTarget::compare(const std::uint32_t* rows, std::size_t count, float* nearness) const {
    if (vectors_.codes != nullptr) {
        vectors_.codes->compare_codes(row_, rows, 0, count, nearness);
    } else if (query_ != nullptr) {
        vectors_.store.compare(query_, rows, 0, count, nearness);
    } else {
        vectors_.store.compare_stored(row_, rows, count, nearness);
    }
}

}  // namespace unitvec
