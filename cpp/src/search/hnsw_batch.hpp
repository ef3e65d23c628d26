#pragma once
/// New rows of an HNSW graph, linked together.
#include <cstdint>
#include <span>
#include <vector>

#include "search/hnsw_links.hpp"
#include "search/hnsw_target.hpp"
#include "search/hnsw_walk.hpp"

namespace unitvec {

/// See HnswGraph on why rows come in batches.
class HnswBatch {
public:
    /// @param links  of the rows before the batch
    HnswBatch(const GraphVectors& vectors, HnswLinks& links, HnswWalks& walks,
              std::size_t ef_construction);

    /// Links the `count` rows that follow those that have links.
    void link(std::size_t count, std::size_t threads);

private:
    struct BackLink {
        int level;
        std::uint32_t to;    // the row that is to link back
        std::uint32_t from;  // the new row
        friend auto operator<=>(const BackLink&, const BackLink&) = default;
    };

    void link_forth(HnswWalk& walk, std::uint32_t row);
    void link_back(std::size_t first, std::size_t threads);
    void take_up(std::span<const BackLink> links);
    [[nodiscard]] bool is_covered(const Neighbour& candidate,
                                  std::span<const std::uint32_t> rows) const;
    [[nodiscard]] std::vector<std::uint32_t> chosen(std::span<const Neighbour> candidates,
                                                    std::size_t room) const;

    const GraphVectors& vectors_;
    HnswLinks& links_;
    HnswWalks& walks_;
    std::size_t ef_construction_;
};

}  // namespace unitvec
