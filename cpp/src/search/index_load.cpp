#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "file.hpp"
#include "search/hash64.hpp"
#include "search/index_file.hpp"
#include "search/index_state.hpp"
#include "search/row_codec.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

using Bytes = std::span<const std::byte>;

/// Reads a file's parts in order; nothing outside the file can be reached.
class PartReader {
public:
    PartReader(std::string file, Bytes bytes) : file_(std::move(file)), bytes_(bytes) {}

    [[noreturn]] void fail(const std::string& what) const { fail_at(offset_, what); }
    [[noreturn]] void fail_at(std::size_t offset, const std::string& what) const {
        throw FormatError(file_, "byte " + std::to_string(offset), what);
    }

    /// @throws FormatError where the file ends before `count` values and their padding
    template <typename T>
    std::span<const T> take(std::uint64_t count, const char* name) {
        const std::size_t left = bytes_.size() - offset_;
        if (count > left / sizeof(T)) {
            fail("expected " + std::to_string(count) + " " + name +
                 ", got the end of the file after " + std::to_string(left) + " bytes");
        }
        const std::size_t size = static_cast<std::size_t>(count) * sizeof(T);
        const std::size_t padded = (size + kIndexAlignment - 1) / kIndexAlignment * kIndexAlignment;
        if (padded > left) fail(std::string("expected padding after the ") + name);
        // Mapped files begin on a page and parts on 64 bytes: aligned for every T.
        const auto* first = reinterpret_cast<const T*>(bytes_.data() + offset_);
        offset_ += padded;
        return {first, static_cast<std::size_t>(count)};
    }

    [[nodiscard]] std::size_t offset() const { return offset_; }
    [[nodiscard]] Bytes rest() const { return bytes_.subspan(offset_); }

private:
    std::string file_;
    Bytes bytes_;
    std::size_t offset_ = 0;
};

void require_hashes(const PartReader& reader, const IndexHeader& header) {
    const auto bytes = std::as_bytes(std::span(&header, 1));
    constexpr std::size_t kHash = offsetof(IndexHeader, header_hash);
    if (hash64(bytes.first(kHash)) != header.header_hash) {
        reader.fail_at(kHash,
                       "expected the hash of the header, got another: the header is damaged");
    }
    if (hash64(reader.rest()) != header.payload_hash) {
        reader.fail_at(offsetof(IndexHeader, payload_hash),
                       "expected the hash of the contents, got another: the file is damaged");
    }
}

IndexHeader read_header(PartReader& reader) {
    const IndexHeader header = reader.take<IndexHeader>(1, "header")[0];
    if (header.magic != kIndexMagic) {
        reader.fail_at(0, "expected \"UNITVEC\", got something else: not a file of Index.save");
    }
    const bool known = header.version >= kOldestIndexVersion && header.version <= kIndexVersion;
    if (!known || header.header_bytes != sizeof(header)) {
        reader.fail_at(offsetof(IndexHeader, version),
                       "expected version " + std::to_string(kOldestIndexVersion) + " to " +
                           std::to_string(kIndexVersion) + " of the index format, got " +
                           std::to_string(header.version) +
                           "; a newer unitvec may have written it");
    }
    require_hashes(reader, header);
    return header;
}

/// A value within [least, most], the header being hostile until shown otherwise.
std::size_t field(const PartReader& reader, const char* name, std::uint64_t value,
                  std::uint64_t least, std::uint64_t most) {
    if (value < least || value > most) {
        reader.fail_at(0, std::string("expected ") + name + " from " + std::to_string(least) +
                              " to " + std::to_string(most) + ", got " + std::to_string(value));
    }
    return static_cast<std::size_t>(value);
}

IndexOptions read_options(const PartReader& reader, const IndexHeader& h) {
    constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();
    IndexOptions options;
    // Version 1 ended with auto, 2 with ivf.
    options.kind =
        static_cast<IndexKind>(field(reader, "kind", h.kind, 0, std::min(h.version + 1, 4U)));
    options.metric = static_cast<Metric>(field(reader, "metric", h.metric, 0, 4));
    const bool bits = options.metric == Metric::hamming;
    if (has_lists(options.kind) && !has_products(options.metric)) {
        reader.fail_at(offsetof(IndexHeader, metric),
                       "expected another metric of kind ivf or ivfpq");
    }
    options.dtype =
        static_cast<VectorType>(field(reader, "dtype", h.dtype, bits ? 3 : 0, bits ? 3 : 2));
    options.M = field(reader, "M", h.M, 2, 512);
    options.ef_construction = field(reader, "ef_construction", h.ef_construction, 1, 1'000'000);
    options.ef_search = field(reader, "ef_search", h.ef_search, 1, 1'000'000);
    options.automatic_threshold = field(reader, "threshold", h.automatic_threshold, 0, kAny);
    if (h.version == kOldestIndexVersion) return options;
    options.max_memory = field(reader, "max_memory", h.max_memory, 0, kAny);
    options.nlist = field(reader, "nlist", h.nlist, 0, 1'000'000);
    options.nprobe = field(reader, "nprobe", h.nprobe, 1, 1'000'000);
    const bool coded = options.kind == IndexKind::ivfpq;
    options.pq_m = field(reader, "pq_m", h.pq_m, coded ? 1 : 0, coded ? h.dim : 0);
    return options;
}

void read_ids(PartReader& reader, const IndexHeader& header, IdMap& ids) {
    const std::size_t start = reader.offset();
    const auto stored = reader.take<Id>(header.rows, "ids");
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<Id>::max());
    const auto next = static_cast<Id>(field(reader, "next id", header.next_id, 0, kLargest));
    if (const auto bad = ids.restore(stored, next)) {
        reader.fail_at(start + *bad * sizeof(Id), "expected an id below the next id, once, or -1");
    }
}

/// The rows in the file.
std::span<const std::byte> read_vectors(PartReader& reader, const IndexHeader& header,
                                        const VectorStore& store) {
    const std::size_t start = reader.offset();
    const std::uint64_t bytes = store.row_bytes();
    if (header.rows > std::numeric_limits<std::uint64_t>::max() / bytes) {
        reader.fail("expected a file that can hold its vectors");
    }
    const auto rows = reader.take<std::byte>(header.rows * bytes, "bytes of vectors");
    for (std::size_t at = 0; at < rows.size(); at += bytes) {
        if (!is_sound_row(store.type(), store.dim(), rows.data() + at)) {
            reader.fail_at(start + at, "expected a vector in " + std::string(name(store.type())) +
                                           ", finite and of length at most 5e18, got another");
        }
    }
    return rows;
}

void read_sketches(PartReader& reader, const IndexHeader& header, HnswGraph& graph) {
    auto* sketches = graph.empty_sketches();
    const std::uint64_t bytes = kernels::sketch_row(header.dim);
    if (sketches == nullptr || header.sketch_bytes != bytes) {
        reader.fail_at(offsetof(IndexHeader, sketch_bytes),
                       "expected " + std::to_string(sketches == nullptr ? 0 : bytes) +
                           " bytes of a sketch, got " + std::to_string(header.sketch_bytes));
    }
    const std::size_t start = reader.offset();
    const auto centre = reader.take<float>(header.dim, "numbers of a centre");
    if (!is_sound_row(VectorType::float32, header.dim, std::as_bytes(centre).data())) {
        reader.fail_at(start, "expected a finite centre, of length at most 5e18");
    }
    sketches->restore(centre, reader.take<std::byte>(header.rows * bytes, "bytes of sketches"));
}

/// Links or lists, whichever the file has, over a store that is complete.
void read_graph(PartReader& reader, const IndexHeader& header, HnswGraph& graph) {
    const std::size_t start = reader.offset();
    const auto levels = reader.take<std::int32_t>(header.rows, "levels");
    const auto links = reader.take<std::int32_t>(header.links, "links");
    if (header.version >= kSketchedVersion && header.sketch_bytes > 0) {
        read_sketches(reader, header, graph);
    }
    const auto wrong = graph.restore({levels, links, header.entry_point, header.max_level});
    if (!wrong.empty()) reader.fail_at(start, wrong);
}

std::span<const float> read_centroids(PartReader& reader, const IndexHeader& header) {
    const std::size_t start = reader.offset();
    const auto centroids = reader.take<float>(header.lists * header.dim, "components of centroids");
    for (std::size_t at = 0; at < centroids.size(); at += header.dim) {
        const auto* row = reinterpret_cast<const std::byte*>(centroids.data() + at);
        if (!is_sound_row(VectorType::float32, header.dim, row)) {
            reader.fail_at(start, "expected finite centroids, of length at most 5e18");
        }
    }
    return centroids;
}

/// Of product-quantised codes: a number of a vector's part is one of 256.
std::span<const float> read_code_centroids(PartReader& reader, const IndexHeader& header) {
    constexpr float kLargest = 5e18F;  // squares of such fit a float
    const std::size_t start = reader.offset();
    const std::uint64_t columns = header.pq_m > 0 ? ProductQuantizer::kCentroids : 0;
    const auto numbers = reader.take<float>(header.dim * columns, "components of codes' centroids");
    const auto is_sound = [](float x) { return std::fabs(x) <= kLargest; };  // false of NaN
    if (std::ranges::all_of(numbers, is_sound)) return numbers;
    reader.fail_at(start, "expected finite centroids, of numbers up to 5e18");
}

void read_lists(PartReader& reader, const IndexHeader& header, InvertedLists& lists) {
    const std::size_t start = reader.offset();
    const auto centroids = read_centroids(reader, header);
    const auto list_of_row = reader.take<std::int32_t>(header.rows, "lists of rows");
    const auto code_centroids = read_code_centroids(reader, header);
    const auto codes = reader.take<std::uint8_t>(header.rows * header.pq_m, "bytes of codes");
    const auto wrong =
        lists.restore({{centroids.data(), header.lists, static_cast<std::size_t>(header.dim)},
                       list_of_row,
                       code_centroids},
                      codes);
    if (!wrong.empty()) reader.fail_at(start, wrong);
}

}  // namespace

Index Index::load(const std::filesystem::path& path, bool mapped) {
    const auto file = std::make_shared<const MappedFile>(path);
    PartReader reader(path.string(), file->bytes());
    const IndexHeader header = read_header(reader);
    const IndexOptions options = read_options(reader, header);
    const std::size_t dim = field(reader, "dim", header.dim, 1, std::size_t{1} << 20);
    if (options.dtype == VectorType::bits && dim % 8 != 0) {
        reader.fail_at(offsetof(IndexHeader, dim),
                       "expected bits by the byte, got dim " + std::to_string(dim));
    }
    (void)field(reader, "rows", header.rows, 0, VectorStore::kMaxRows);

    auto state = std::make_unique<State>(dim, options);
    read_ids(reader, header, state->ids);
    const auto rows = read_vectors(reader, header, state->store);
    if (mapped) {
        state->store.map_rows(file, rows);
    } else {
        state->store.append_rows(rows);
    }
    if (header.links > 0) {
        if (options.kind == IndexKind::flat || has_lists(options.kind)) {
            reader.fail_at(0, "expected no graph of kind " + std::string(name(options.kind)));
        }
        state->graph =
            std::make_unique<HnswGraph>(state->store, options.M, options.ef_construction);
        read_graph(reader, header, *state->graph);
    }
    if (header.lists > 0) {
        const bool grown = options.kind == IndexKind::automatic && has_products(options.metric);
        if (state->graph || (!has_lists(options.kind) && !grown)) {
            reader.fail_at(0, "expected lists of kind ivf or ivfpq only");
        }
        state->make_lists();
        read_lists(reader, header, *state->lists);
    }
    if (!reader.rest().empty()) reader.fail("expected the end of the file");
    return Index(std::move(state));
}

}  // namespace unitvec
