#pragma once
/// What a walk through the graph goes towards, and how near rows are to it.
#include <cstdint>
#include <optional>
#include <vector>

#include "search/row_sketches.hpp"
#include "search/vector_store.hpp"

namespace unitvec {

/// The vectors under a graph: `store` as they are kept, and where `codes` are given the same as
/// 8-bit rows, which walks compare: a quarter of the memory to read of float32. Sketches, where
/// there are, say beforehand which rows need not be compared: a sixth of the memory of codes.
struct GraphVectors {
    const VectorStore& store;
    const VectorStore* codes;
    const RowSketches* sketches;
};

/// A query or a stored row.
class HnswTarget {
public:
    /// @param query  as VectorStore::compare takes it; it must outlive this
    HnswTarget(const GraphVectors& vectors, const float* query);
    HnswTarget(const GraphVectors& vectors, std::uint32_t row);

    /// Makes ready to tell rows by their sketches, if there are.
    void sketch();
    [[nodiscard]] bool has_sketches() const { return sketch_.has_value(); }
    /// nearness[i]: about as near as rows[i] can be. Only where has_sketches().
    void estimate(const std::uint32_t* rows, std::size_t count, float* nearness) const {
        sketch_->estimate(rows, count, nearness);
    }
    /// Begins to load the sketch of a row.
    void ask_for_sketch(std::uint32_t row) const {
        __builtin_prefetch(vectors_.sketches->sketch(row));
    }
    /// Begins to load a row from memory, so far as the processor does not follow it by itself.
    void ask_for(std::uint32_t row) const {
        const std::byte* bytes = (vectors_.codes ? *vectors_.codes : vectors_.store).row(row);
        for (std::size_t i = 0; i < kAskedFor; i += kLine) __builtin_prefetch(bytes + i);
    }
    /// nearness[i] of rows[i], approximate where there are codes.
    void compare(const std::uint32_t* rows, std::size_t count, float* nearness) const;

private:
    static constexpr std::size_t kLine = 64;  // bytes
    static constexpr std::size_t kAskedFor = 4 * kLine;

    const GraphVectors& vectors_;
    const float* query_ = nullptr;
    const std::byte* row_ = nullptr;
    std::uint32_t number_ = 0;     // of a stored row
    std::vector<std::byte> code_;  // of a query
    std::optional<SketchTarget> sketch_;
};

}  // namespace unitvec
