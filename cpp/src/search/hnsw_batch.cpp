#include "search/hnsw_batch.hpp"

#include <algorithm>
#include <array>

#include "search/top_k.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kGrain = 4;         // rows that a thread links at a time
constexpr std::size_t kShards = 64;       // of the rows that take up links
constexpr std::size_t kWorthThreads = 8;  // rows; fewer are linked sooner than a thread wakes

}  // namespace

HnswBatch::HnswBatch(const GraphVectors& vectors, HnswLinks& links, HnswWalks& walks,
                     std::size_t ef_construction)
    : vectors_(vectors), links_(links), walks_(walks), ef_construction_(ef_construction) {}

void HnswBatch::link(std::size_t count, std::size_t threads) {
    const std::size_t first = links_.rows();
    links_.append(count);
    if (count < kWorthThreads) threads = 1;
    if (links_.entry() != HnswLinks::kNone) {
        parallel_for(count, kGrain, threads, [&](std::size_t begin, std::size_t end) {
            const BorrowedWalk walk(walks_, links_.rows());
            for (std::size_t i = begin; i < end; ++i) {
                link_forth(*walk, static_cast<std::uint32_t>(first + i));
            }
        });
        link_back(first, threads);
    }
    for (std::size_t i = 0; i < count; ++i) {
        links_.raise_entry(static_cast<std::uint32_t>(first + i));
    }
}

/// Algorithm 1 of the paper, but for the links back.
void HnswBatch::link_forth(HnswWalk& walk, std::uint32_t row) {
    HnswTarget target(vectors_, row);
    target.sketch();
    const int top = std::min(links_.levels(row) - 1, links_.max_level());
    std::vector<Neighbour> near{walk.descend(links_, target, top)};
    for (int level = top; level >= 0; --level) {
        TopK found(ef_construction_);
        walk.explore(links_, target, level, near, nullptr, nullptr, found);
        near = found.take_sorted();
        links_.set(row, level, chosen(near, links_.room(level)));
    }
}

/// Whether the candidate is nearer to one of the rows than to the one that they are candidates of.
bool HnswBatch::is_covered(const Neighbour& candidate, std::span<const std::uint32_t> rows) const {
    constexpr std::size_t kAtOnce = 8;  // often one of the first covers it
    const HnswTarget target(vectors_, candidate.row);
    std::array<float, kAtOnce> nearness;
    for (std::size_t i = 0; i < rows.size(); i += kAtOnce) {
        const auto some = rows.subspan(i, std::min(kAtOnce, rows.size() - i));
        target.compare(some.data(), some.size(), nearness.data());
        for (std::size_t j = 0; j < some.size(); ++j) {
            if (nearness[j] > candidate.nearness) return true;
        }
    }
    return false;
}

/// Algorithm 4, with the extension that keeps pruned links: the nearest candidates that no one
/// chosen before covers, so that links lead in every direction, and where they leave more than half
/// of the room, the nearest of the others. At equal recall the latter spares a third of the steps.
/// @param candidates  nearest first
std::vector<std::uint32_t> HnswBatch::chosen(std::span<const Neighbour> candidates,
                                             std::size_t room) const {
    std::vector<std::uint32_t> chosen, covered;
    for (const auto& candidate : candidates) {
        if (chosen.size() == room) break;
        auto& rows = is_covered(candidate, chosen) ? covered : chosen;
        rows.push_back(candidate.row);
    }
    for (const auto row : covered) {
        if (chosen.size() >= room / 2) break;
        chosen.push_back(row);
    }
    return chosen;
}

/// Rows that the batch links to take up links to the batch: each shard of them by one thread.
void HnswBatch::link_back(std::size_t first, std::size_t threads) {
    std::array<std::vector<BackLink>, kShards> shards;
    for (std::size_t i = first; i < links_.rows(); ++i) {
        const auto row = static_cast<std::uint32_t>(i);
        for (int level = 0; level < links_.levels(row); ++level) {
            for (const auto to : links_.at(row, level)) {
                if (to == HnswLinks::kNone) break;
                shards[to % kShards].push_back({level, to, row});
            }
        }
    }
    parallel_for(kShards, 1, threads, [&](std::size_t shard, std::size_t) {
        auto& back = shards[shard];
        std::ranges::sort(back);
        for (auto begin = back.begin(); begin != back.end();) {
            const auto end = std::find_if(begin, back.end(), [&](const BackLink& link) {
                return link.to != begin->to || link.level != begin->level;
            });
            take_up({begin, end});
            begin = end;
        }
    });
}

/// Adds links to one list; where there is no room, the list is chosen anew.
void HnswBatch::take_up(std::span<const BackLink> links) {
    const std::uint32_t row = links.front().to;
    const int level = links.front().level;
    const auto before = links_.at(row, level);
    std::vector<std::uint32_t> rows(before.begin(), std::ranges::find(before, HnswLinks::kNone));
    for (const auto& link : links) rows.push_back(link.from);
    if (rows.size() > links_.room(level)) {
        std::vector<float> nearness(rows.size());
        HnswTarget(vectors_, row).compare(rows.data(), rows.size(), nearness.data());
        std::vector<Neighbour> candidates;
        for (std::size_t i = 0; i < rows.size(); ++i) candidates.push_back({nearness[i], rows[i]});
        std::ranges::sort(candidates, [](auto a, auto b) { return better(a, b); });
        rows = chosen(candidates, links_.room(level));
    }
    links_.set(row, level, rows);
}

}  // namespace unitvec
