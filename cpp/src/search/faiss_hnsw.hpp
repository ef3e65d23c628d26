#pragma once
/// FAISS's HNSW over our own vectors and kernels. Only what FAISS 1.7.3 and 1.15 have in common.
#include <faiss/IndexHNSW.h>
#include <faiss/impl/DistanceComputer.h>
#include <faiss/impl/FaissException.h>

#include <cstdint>

#include "search/hnsw_graph.hpp"

namespace unitvec {

/// Gives FAISS the distances it links by: the negated nearness, small when near.
class NearnessComputer final : public faiss::DistanceComputer {
public:
    explicit NearnessComputer(const VectorStore& store) : store_(store) {}

    /// FAISS passes on the row that FaissStorage's users gave it.
    void set_query(const float* row) override { query_ = reinterpret_cast<const std::byte*>(row); }

    float operator()(std::int64_t i) override { return -store_.compare(query_, row(i)); }

    float symmetric_dis(std::int64_t i, std::int64_t j) override {
        return -store_.compare(row(i), row(j));
    }

    // Called by later versions of FAISS; 1.7.3 has no such function to override.
    // NOLINTNEXTLINE(modernize-use-override)
    virtual void distances_batch_4(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d,
                                   float& da, float& db, float& dc, float& dd) {
        const std::uint32_t rows[4] = {static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b),
                                       static_cast<std::uint32_t>(c),
                                       static_cast<std::uint32_t>(d)};
        float nearness[4];
        store_.compare_stored(query_, rows, 4, nearness);
        da = -nearness[0];
        db = -nearness[1];
        dc = -nearness[2];
        dd = -nearness[3];
    }

private:
    [[nodiscard]] const std::byte* row(std::int64_t i) const {
        return store_.row(static_cast<std::size_t>(i));
    }

    const VectorStore& store_;
    const std::byte* query_ = nullptr;
};

/// Our vectors as FAISS's storage of an IndexHNSW. What FAISS takes for a vector of floats is a
/// stored row, which it only passes on to NearnessComputer: `d` counts the row's 4-byte words.
class FaissStorage final : public faiss::Index {
public:
    explicit FaissStorage(VectorStore& store)
        // METRIC_L2 whatever the metric: FAISS then takes our numbers as distances, as they are.
        : faiss::Index(static_cast<int>(store.row_bytes() / sizeof(float)), faiss::METRIC_L2),
          store_(store) {}

    /// The vectors are in the store already: IndexHNSW::add is told only how many to link.
    void add(std::int64_t n, const float*) override { ntotal += n; }

    void search(std::int64_t, const float*, std::int64_t, float*, std::int64_t*,
                const faiss::SearchParameters*) const override {
        throw faiss::FaissException("FaissStorage is not searched");
    }

    void reset() override { ntotal = 0; }

    [[nodiscard]] faiss::DistanceComputer* get_distance_computer() const override {
        return new NearnessComputer(store_);  // FAISS deletes it
    }

private:
    VectorStore& store_;
};

struct HnswGraph::Faiss {
    Faiss(VectorStore& vectors, std::size_t M, std::size_t ef_construction)
        : store(vectors), storage(vectors), index(&storage, static_cast<int>(M)) {
        index.hnsw.efConstruction = static_cast<int>(ef_construction);
    }

    VectorStore& store;
    FaissStorage storage;
    faiss::IndexHNSW index;  // does not own its storage
};

}  // namespace unitvec
