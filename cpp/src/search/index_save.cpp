#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include "replace_file.hpp"
#include "search/hash64.hpp"
#include "search/index_file.hpp"
#include "search/index_state.hpp"

namespace unitvec {
namespace {

/// Writes parts one after the other, each padded, and hashes what it writes.
class PartWriter {
public:
    explicit PartWriter(ReplaceFile& file) : file_(file) {}

    template <typename T>
    void write(std::span<const T> values) {
        const auto bytes = std::as_bytes(values);
        put(bytes);
        constexpr std::array<std::byte, kIndexAlignment> kZeros{};
        const std::size_t over = bytes.size() % kIndexAlignment;
        if (over != 0) put(std::span(kZeros).first(kIndexAlignment - over));
    }

    [[nodiscard]] std::uint64_t hash() const { return hash_.digest(); }

private:
    void put(std::span<const std::byte> bytes) {
        hash_.update(bytes);
        file_.write(bytes);
    }

    ReplaceFile& file_;
    Hash64 hash_;
};

std::span<const std::byte> bytes_of(const IndexHeader& header) {
    return std::as_bytes(std::span(&header, 1));
}

}  // namespace

void Index::save(const std::filesystem::path& path) const {
    const std::shared_lock lock(state_->mutex);
    const auto& state = *state_;
    IndexHeader header{};
    header.magic = kIndexMagic;
    header.version = kIndexVersion;
    header.header_bytes = sizeof(header);
    header.kind = static_cast<std::uint32_t>(state.options.kind);
    header.metric = static_cast<std::uint32_t>(state.options.metric);
    header.dim = state.store.dim();
    header.rows = state.store.rows();
    header.next_id = static_cast<std::uint64_t>(state.ids.next());
    header.M = state.options.M;
    header.ef_construction = state.options.ef_construction;
    header.ef_search = state.options.ef_search;
    header.automatic_threshold = state.options.automatic_threshold;
    header.nlist = state.options.nlist;
    header.nprobe = state.options.nprobe;
    header.max_memory = state.options.max_memory;
    header.pq_m = state.options.kind == IndexKind::ivfpq ? state.options.pq_m : 0;
    header.dtype = static_cast<std::uint32_t>(state.options.dtype);
    header.entry_point = header.max_level = -1;
    std::ranges::copy(faiss_version(), header.faiss_version.begin());

    ReplaceFile file(path);
    file.write(bytes_of(header));  // its place is kept; the hashes are known at the end
    PartWriter parts(file);
    parts.write(state.ids.ids());
    parts.write(state.store.encoded());
    if (state.has_whole_graph()) {
        const auto links = state.graph->links().flat();
        parts.write(std::span<const std::int32_t>(links.levels));
        parts.write(std::span<const std::int32_t>(links.links));
        header.links = links.links.size();
        header.entry_point = links.entry;
        header.max_level = links.max_level;
        if (const auto* sketches = state.graph->sketches()) {
            parts.write(sketches->centre());
            parts.write(sketches->first(header.rows));
            header.sketch_bytes = static_cast<std::uint32_t>(kernels::sketch_row(header.dim));
        }
    }
    if (state.has_whole_lists()) {
        const auto lists = state.lists->parts();
        parts.write(std::span(lists.centroids.data, lists.centroids.size()));
        parts.write(lists.list_of_row);
        parts.write(lists.code_centroids);
        parts.write(std::span<const std::uint8_t>(state.lists->codes()));
        header.lists = static_cast<std::uint32_t>(lists.centroids.rows);
    }
    header.payload_hash = parts.hash();
    header.header_hash = hash64(bytes_of(header).first(offsetof(IndexHeader, header_hash)));
    file.write_at(0, bytes_of(header));
    file.commit();
}

}  // namespace unitvec
