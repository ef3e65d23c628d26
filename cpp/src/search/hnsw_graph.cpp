#include "search/hnsw_graph.hpp"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <string>
#include <thread>

#include "search/faiss_hnsw.hpp"
#include "search/hnsw_walk.hpp"
#include "unitvec/error.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

// Vectors linked between two looks at the interrupt: about a third of a second.
constexpr std::size_t kChunk = 4096;

// FAISS links fewer vectors than this in one thread.
constexpr std::size_t kOneThread = 100;

/// Runs `work`, which uses OpenMP, with that many threads and in a thread of its own. GNU's OpenMP
/// keeps a pool for every thread that used it; a process forked later has the pool but not its
/// threads, and would wait for them for ever. This pool ends with its thread.
template <typename Work>
void with_openmp_threads(std::size_t threads, const Work& work) {
    std::exception_ptr error;
    std::jthread([&] {
        try {
            omp_set_num_threads(static_cast<int>(threads == 0 ? default_threads() : threads));
            work();
        } catch (...) {
            error = std::current_exception();
        }
    }).join();
    if (error) std::rethrow_exception(error);
}

}  // namespace

HnswGraph::HnswGraph(VectorStore& store, std::size_t M, std::size_t ef_construction)
    : faiss_(std::make_unique<Faiss>(store, M, ef_construction)),
      pool_(std::make_unique<WalkPool>()) {}

HnswGraph::~HnswGraph() = default;

void HnswGraph::add(MatrixView<const float> vectors, const RunOptions& run) {
    faiss_->store.append(vectors);
    link_stored(run);
}

void HnswGraph::link_stored(const RunOptions& run) {
    auto& store = faiss_->store;
    while (rows() < store.rows()) {
        run.check();
        const std::size_t count = std::min(kChunk, store.rows() - rows());
        const auto link = [&] {
            faiss_->index.add(static_cast<std::int64_t>(count),
                              reinterpret_cast<const float*>(store.row(rows())));
        };
        if (count <= kOneThread) {
            link();
        } else {
            with_openmp_threads(run.threads, link);
        }
    }
}

std::vector<Neighbour> HnswGraph::search(const float* query, std::size_t k, std::size_t ef,
                                         const RowFilter& filter) const {
    const auto walk = pool_->borrow(rows());
    return walk->search(*faiss_, query, k, ef, filter);
}

std::size_t HnswGraph::rows() const {
    return static_cast<std::size_t>(faiss_->index.ntotal);
}

std::size_t HnswGraph::bytes() const {
    const auto& hnsw = faiss_->index.hnsw;
    return hnsw.levels.size() * sizeof(int) + hnsw.offsets.size() * sizeof(std::size_t) +
           hnsw.neighbors.size() * sizeof(std::int32_t);
}

HnswGraph::Links HnswGraph::links() const {
    const auto& hnsw = faiss_->index.hnsw;
    return {{hnsw.levels.data(), hnsw.levels.size()},
            {hnsw.neighbors.data(), hnsw.neighbors.size()},
            hnsw.entry_point,
            hnsw.max_level};
}

}  // namespace unitvec
