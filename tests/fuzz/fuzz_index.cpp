/// Any bytes as a file of Index::save, with true hashes, as an attacker would make them: an index
/// that can be searched, changed, saved and exported, or a FormatError.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>

#include "search/hash64.hpp"
#include "search/index_file.hpp"
#include "search/random.hpp"
#include "support.hpp"
#include "unitvec/search/index.hpp"

using namespace unitvec;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

constexpr std::size_t kPiece = 32;  // bytes changed in place, at most

/// Lets what was changed through the first checks.
void make_true(std::span<std::uint8_t> file) {
    IndexHeader header;
    if (file.size() < sizeof(header)) return;
    const auto bytes = std::as_bytes(file);
    std::memcpy(&header, file.data(), sizeof(header));
    header.magic = kIndexMagic;
    constexpr std::uint32_t kVersions = kIndexVersion - kOldestIndexVersion + 1;
    header.version = kOldestIndexVersion + (header.version - kOldestIndexVersion) % kVersions;
    header.header_bytes = sizeof(header);
    header.payload_hash = hash64(bytes.subspan(sizeof(header)));
    std::memcpy(file.data(), &header, sizeof(header));
    header.header_hash = hash64(bytes.first(offsetof(IndexHeader, header_hash)));
    std::memcpy(file.data(), &header, sizeof(header));
}

/// Changes a few bytes of the file, every other time of its header, and its size never: the sizes
/// in the header have to add up to it.
void mutate_in_place(std::span<std::uint8_t> file, Random& random) {
    const std::size_t within =
        random.below(2) == 0 ? std::min(file.size(), sizeof(IndexHeader)) : file.size();
    const std::size_t at = random.below(within);
    std::vector<std::uint8_t> piece(kPiece);
    const std::size_t size = std::min(1 + random.below(kPiece), within - at);
    std::memcpy(piece.data(), file.data() + at, size);
    const std::size_t changed = LLVMFuzzerMutate(piece.data(), size, size);
    std::memcpy(file.data() + at, piece.data(), changed);
}

void require_sound(const SearchResult& found, const Index& index, std::size_t k) {
    for (std::size_t q = 0; q * k < found.ids.size(); ++q) {
        const std::span ids(found.ids.data() + q * k, k);
        const auto scores = found.scores.row(q);
        const std::size_t size = std::min(k, index.size());
        for (std::size_t i = 0; i < k; ++i) {
            fuzz::require((i < size) == (ids[i] != -1), "as many as there are are found");
            fuzz::require(i >= size || index.contains(ids[i]), "found ids are held");
            fuzz::require(i >= size || std::isfinite(scores[i]), "scores are numbers");
            fuzz::require(i == 0 || scores[i] <= scores[i - 1], "the best come first");
        }
        fuzz::require(
            std::set<Id>(ids.begin(), ids.begin() + static_cast<long>(size)).size() == size,
            "each is found once");
    }
}

template <typename T>
void search(Index& index, MatrixView<const T> queries) {
    SearchOptions options;
    options.threads = 1;
    options.k = options.ef_search = options.nprobe = 1;  // so few that a graph is walked
    require_sound(index.search(queries, options), index, options.k);
    options.ef_search = options.nprobe = 0;
    options.k = 3;
    require_sound(index.search(queries, options), index, options.k);
    require_sound(index.search(queries.middle_rows(0, 1), options), index, options.k);
    options.min_recall = 0.9;
    require_sound(index.search(queries, options), index, options.k);
    options.min_recall = 0.0;
    options.exact = true;
    require_sound(index.search(queries, options), index, options.k);
    const auto all = index.range_search(queries.middle_rows(0, 1), -INFINITY, options);
    fuzz::require(all.ids.size() == index.size(), "a range without a bound holds all");
}

/// @param tuned  recall is measured with these few queries, not with many made of the vectors
template <typename T>
void use(Index& index, std::size_t width, bool tuned) {
    std::vector<T> values(5 * width, T{1});
    for (std::size_t i = 0; i < values.size(); i += 2) values[i] = static_cast<T>(i % 7);
    const MatrixView<const T> some{values.data(), 5, width};
    SearchOptions options;
    options.threads = 1;
    if (tuned) index.tune(some, options);
    search(index, some);
    const auto before = index.ids();
    if (before.size() > 2) index.remove({before.data(), before.size() / 3}, {.threads = 1});
    try {
        index.add(some, std::nullopt, {1, nullptr});
    } catch (const std::invalid_argument&) {  // the largest id is taken
    }
    search(index, some);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
    Random random(seed);
    if (size < sizeof(IndexHeader) || random.below(8) == 0) {
        size = LLVMFuzzerMutate(data, size, most);
    } else {
        for (std::size_t n = 1 + random.below(3); n > 0; --n) mutate_in_place({data, size}, random);
    }
    make_true({data, size});
    return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::Directory directory;
    directory.write("a.index", {reinterpret_cast<const char*>(data), size});
    try {
        Index index = Index::load(directory.path() / "a.index");
        if (index.dim() > 4096) return 0;                                      // sound, and slow
        const bool tuned = data[offsetof(IndexHeader, header_hash)] % 8 != 0;  // of most files
        if (index.options().metric == Metric::hamming) {
            use<std::uint8_t>(index, index.dim() / 8, tuned);
        } else {
            use<float>(index, index.dim(), tuned);
        }
        index.to_faiss(directory.path() / "faiss.index");
        index.save(directory.path() / "b.index");
        fuzz::require(Index::load(directory.path() / "b.index").ids() == index.ids(),
                      "a saved index is the same");
    } catch (const FormatError&) {
    }
    return 0;
}
