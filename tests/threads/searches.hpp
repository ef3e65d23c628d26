#pragma once
/// Searches of an index that is being changed, each of whose answers is checked by itself.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <set>
#include <stdexcept>
#include <string>

#include "known_vectors.hpp"
#include "search/random.hpp"
#include "support/files.hpp"
#include "unitvec/search/index.hpp"

namespace unitvec {

inline constexpr std::size_t kNeighbours = 5;
inline constexpr std::size_t kPinned = 64;               // ids from 0 that are never removed
inline constexpr std::size_t kLeast = 500, kMost = 700;  // live vectors
inline constexpr std::array kSearches{"searches", "batches", "filtered", "with min_recall",
                                      "ranges",   "read",    "counted",  "saved"};

/// What the searchers share. Every number is relaxed: it must not order what the index has to
/// order.
class Searches {
public:
    /// @param given  ids that were given, or are about to be: those below it
    Searches(const Index& index, const std::atomic<Id>& given)
        : index_(index), given_(given),
          tolerance_(index.options().dtype == VectorType::int8 ? 0.02 : 1e-5) {}

    /// One of many kinds of search. @param thread  names a file
    void check_any(Random& random, std::size_t thread) {
        constexpr std::array kShares{500, 100, 100, 50, 100, 100, 48, 2};  // of 1,000
        std::size_t what = 0;
        for (int draw = static_cast<int>(random.below(1000)) - kShares[0]; draw >= 0;) {
            draw -= kShares[++what];
        }
        done_[what].fetch_add(1, std::memory_order_relaxed);
        switch (what) {
            case 0: return check_search(random, 1, {.exact = random.below(4) == 0});
            case 1: return check_search(random, 6, {});  // from four on they are multiplied
            case 2: return check_search(random, 1, {.filtered = true});
            case 3: return check_search(random, 1, {.min_recall = 0.9});
            case 4: return check_range(random);
            case 5: return check_reconstruct(random);
            case 6: return check_counts(random);
            default: return check_file(thread);
        }
    }

    /// Of searches for known vectors.
    [[nodiscard]] double approximate_share() const { return share(approximate_, searched_); }
    [[nodiscard]] double missed_share() const { return share(missed_, approximate_); }

    void report() const {
        for (std::size_t i = 0; i < kSearches.size(); ++i) {
            std::printf(" %zu %s,", done_[i].load(), kSearches[i]);
        }
        std::printf(" %.1f %% of the searches approximate, %.2f %% of these missed,",
                    100.0 * approximate_share(), 100.0 * missed_share());
    }

private:
    struct Kind {
        bool exact = false, filtered = false;
        double min_recall = 0.0;
    };

    static double share(const std::atomic<std::size_t>& part, const std::atomic<std::size_t>& of) {
        return static_cast<double>(part) / static_cast<double>(std::max<std::size_t>(of, 1));
    }
    static std::vector<Id> pinned(Random& random, std::size_t n) {
        std::vector<Id> ids(n);
        for (auto& id : ids) id = static_cast<Id>(random.below(kPinned));
        return ids;
    }
    static SearchOptions options(Random& random) {
        SearchOptions options;
        options.k = kNeighbours;
        options.threads = random.below(8) == 0 ? 3 : 1;
        return options;
    }

    void check_search(Random& random, std::size_t count, const Kind& kind) {
        const auto wanted = pinned(random, count);
        const auto queries = vectors_of(wanted);
        const auto allowed = pinned(random, 40);
        auto search = options(random);
        search.exact = kind.exact;
        search.min_recall = kind.min_recall;
        if (kind.filtered) search.allowed_ids = allowed;
        const auto found = index_.search(view(queries), search);
        for (std::size_t q = 0; q < count; ++q) {
            const std::span ids(found.ids.data() + q * kNeighbours, kNeighbours);
            check_neighbours(view(queries).row(q), ids, found.scores.row(q));
            require(std::set<Id>(ids.begin(), ids.end()).size() == kNeighbours, "ids differ");
            if (kind.filtered) {
                for (const Id id : ids) {
                    require(std::ranges::find(allowed, id) != allowed.end(), "ids are allowed");
                }
            } else {
                count_own(ids[0] == wanted[q], found.exact);
            }
        }
    }

    void count_own(bool found, bool exact) {
        searched_.fetch_add(1, std::memory_order_relaxed);
        const bool rounded = index_.options().dtype == VectorType::int8;  // another may be nearer
        require(found || !exact || rounded, "an exact search finds the query's own vector");
        if (exact) return;
        approximate_.fetch_add(1, std::memory_order_relaxed);
        if (!found) missed_.fetch_add(1, std::memory_order_relaxed);
    }

    void check_neighbours(std::span<const float> query, std::span<const Id> ids,
                          std::span<const float> scores) const {
        require_neighbours(query, ids, scores, given_.load(std::memory_order_relaxed), tolerance_);
    }

    void check_range(Random& random) const {
        const auto query = vectors_of(pinned(random, 1));
        const auto found = index_.range_search(view(query), 0.8F, options(random));
        require(found.offsets.size() == 2 && found.offsets[1] == found.ids.size(),
                "a range's offsets are its size");
        require(!found.ids.empty() && found.scores.back() >= 0.8F, "a range holds what is near");
        check_neighbours(query, found.ids, found.scores);
    }

    void check_reconstruct(Random& random) const {
        const auto given = static_cast<std::size_t>(given_.load(std::memory_order_relaxed));
        auto ids = pinned(random, 2);
        ids[1] = static_cast<Id>(random.below(given));
        try {
            const Matrix kept = index_.reconstruct(ids);
            const auto expected = vectors_of(ids);
            for (std::size_t i = 0; i < expected.size(); ++i) {
                require(std::fabs(kept.data()[i] - expected[i]) <= tolerance_, "a vector is kept");
            }
        } catch (const std::invalid_argument&) {  // the second was removed, or is yet to come
            require(ids[1] >= static_cast<Id>(kPinned), "what was not removed is there");
        }
    }

    void check_counts(Random& random) const {
        const auto stats = index_.stats();
        require(stats.live >= kLeast && stats.live <= kMost, "the live are counted");
        require(stats.dead * 4 <= stats.live, "no more than a fifth is dead");
        require(index_.contains(pinned(random, 1)[0]), "the pinned are there");
        const auto size = index_.ids().size();
        require(size >= kLeast && size <= kMost, "as many ids as vectors");
    }

    void check_file(std::size_t thread) const {
        const auto path = folder_.path() / std::to_string(thread);
        index_.save(path);
        const auto size = Index::load(path).size();
        require(size >= kLeast && size <= kMost, "a file holds whole batches");
    }

    const Index& index_;
    const std::atomic<Id>& given_;
    double tolerance_;
    TemporaryFolder folder_;
    std::atomic<std::size_t> searched_ = 0, approximate_ = 0, missed_ = 0;
    std::array<std::atomic<std::size_t>, kSearches.size()> done_{};
};

}  // namespace unitvec
