/// Fifteen threads search an index while one more changes it, for ThreadSanitizer to watch.
///
/// usage: index_threads KIND OPERATIONS     KIND: flat, hnsw, hnsw_sq, ivf or ivfpq
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "searches.hpp"

using namespace unitvec;

namespace {

constexpr std::size_t kSearchers = 15;
constexpr std::size_t kFirst = 600;        // vectors from the beginning
constexpr std::size_t kBatch = 4;          // most vectors in a change
constexpr std::size_t kWriterThreads = 3;  // that link, learn and assign
constexpr std::size_t kPace = 20;  // operations for each of the writer's: most of them search

IndexOptions options_of(const std::string& kind) {
    IndexOptions options;
    options.kind = parse_index_kind(kind == "hnsw_sq" ? "hnsw" : kind);
    if (kind == "hnsw_sq") options.dtype = VectorType::int8;
    options.M = 8;
    options.ef_search = 8;  // so small that a graph is walked, not scanned
    options.nlist = 16;
    options.nprobe = 3;
    return options;
}

/// The thread that changes the index, and what it knows of it.
class Writer {
public:
    explicit Writer(Index& index) : index_(index) {
        for (std::size_t i = 0; i < kFirst; ++i) live_.push_back(static_cast<Id>(i));
        const auto first = vectors_of(live_);
        index_.train(view(first), adding());
        index_.add(view(first), std::nullopt, adding());
    }

    [[nodiscard]] const std::atomic<Id>& given() const { return given_; }

    void change(Random& random) {
        const std::size_t draw = random.below(100);
        const bool full = live_.size() + kBatch > kMost, bare = live_.size() < kLeast + kBatch;
        if (draw < 2) {
            learn(random);
        } else if (draw < 10 && !bare) {
            const auto gone = remove(random);
            index_.add(view(vectors_of(gone)), gone, adding());
            live_.insert(live_.end(), gone.begin(), gone.end());
        } else if ((draw < 55 || full) && !bare) {
            remove(random);
        } else {
            add(1 + random.below(kBatch));
        }
        ++changes_;
    }

    void check_the_end() {
        auto ids = index_.ids();
        std::ranges::sort(ids);
        std::ranges::sort(live_);
        require(ids == live_, "what was added and not removed is there");
        require(rebuilds_ > 0, "dead vectors were cleared away");
    }

    void report() const { std::printf(" %zu changes, %zu rebuilds\n", changes_, rebuilds_); }

private:
    [[nodiscard]] AddOptions adding() const { return {kWriterThreads, nullptr}; }

    void add(std::size_t n) {
        const Id first = given_.load(std::memory_order_relaxed);
        given_.store(first + static_cast<Id>(n), std::memory_order_relaxed);
        std::vector<Id> ids;
        for (std::size_t i = 0; i < n; ++i) ids.push_back(first + static_cast<Id>(i));
        require(index_.add(view(vectors_of(ids)), std::nullopt, adding()) == ids, "ids ascend");
        live_.insert(live_.end(), ids.begin(), ids.end());
    }

    std::vector<Id> remove(Random& random) {
        std::vector<Id> gone;
        for (std::size_t n = 1 + random.below(kBatch); n > 0; --n) {
            std::swap(live_[kPinned + random.below(live_.size() - kPinned)], live_.back());
            gone.push_back(live_.back());
            live_.pop_back();
        }
        index_.remove(gone, {true, kWriterThreads, nullptr});
        rebuilds_ += index_.stats().dead == 0;
        return gone;
    }

    /// Recall is measured with queries, or again with mixtures of vectors; lists are learnt anew.
    void learn(Random& random) {
        const bool mixtures = random.below(8) == 0;
        const auto queries = vectors_of({live_.data(), mixtures ? std::size_t{0} : 16});
        SearchOptions options;
        options.threads = 1;
        index_.tune(view(queries), options);
        index_.train(view(vectors_of(live_)), adding());
    }

    Index& index_;
    std::vector<Id> live_;
    std::size_t changes_ = 0, rebuilds_ = 0;
    std::atomic<Id> given_ = kFirst;
};

/// All threads together, until they have begun `total` operations.
void run(Searches& searches, Writer& writer, std::size_t total) {
    std::atomic<std::size_t> begun = 0;
    const auto begin = [&] { return begun.fetch_add(1, std::memory_order_relaxed) < total; };
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < kSearchers; ++t) {
        threads.emplace_back([&, t] {
            Random random(t);
            while (begin()) searches.check_any(random, t);
        });
    }
    Random random(kSearchers);
    while (begin()) {
        writer.change(random);
        const std::size_t next = std::min(total, begun.load(std::memory_order_relaxed) + kPace);
        while (begun.load(std::memory_order_relaxed) < next) std::this_thread::yield();
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: index_threads KIND OPERATIONS\n");
        return 2;
    }
    const auto start = std::chrono::steady_clock::now();
    const std::size_t total = std::strtoull(argv[2], nullptr, 10);
    Index index(kDim, options_of(argv[1]));
    Writer writer(index);
    Searches searches(index, writer.given());
    run(searches, writer, total);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%s: %zu operations in %.0f s:", argv[1], total, seconds.count());
    searches.report();
    writer.report();
    writer.check_the_end();
    const bool scans = index.options().kind == IndexKind::flat;
    require((searches.approximate_share() > 0.3) != scans, "graphs and lists are searched");
    require(searches.missed_share() < 0.1, "hardly a search misses its own vector");
}
