/// Any bytes as a file of Index::save, with true hashes, as an attacker would make them: an index
/// that can be searched, changed and saved, or a FormatError.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>

#include "search/hash64.hpp"
#include "search/index_file.hpp"
#include "support.hpp"
#include "unitvec/error.hpp"
#include "unitvec/search/index.hpp"

using namespace unitvec;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// Lets what the fuzzer changed through the first checks: magic, sizes and hashes are made true.
std::string with_true_hashes(std::string file) {
    IndexHeader header;
    if (file.size() < sizeof(header)) return file;
    std::memcpy(&header, file.data(), sizeof(header));
    header.magic = kIndexMagic;
    header.version = kOldestIndexVersion + header.version % 2;
    header.header_bytes = sizeof(header);
    header.payload_hash = hash64(bytes_of(file).subspan(sizeof(header)));
    std::memcpy(file.data(), &header, sizeof(header));
    header.header_hash = hash64(bytes_of(file).first(offsetof(IndexHeader, header_hash)));
    std::memcpy(file.data(), &header, sizeof(header));
    return file;
}

void require_sound(const SearchResult& found, const Index& index) {
    for (const Id id : found.ids) fuzz::require(id == -1 || index.contains(id), "ids are held");
}

template <typename T>
void use(Index& index, std::size_t width) {
    const std::vector<T> values(3 * width, T{1});
    const MatrixView<const T> some{values.data(), 3, width};
    SearchOptions options;
    options.threads = 1;
    require_sound(index.search(some, options), index);
    options.exact = true;
    require_sound(index.search(some, options), index);
    const auto before = index.ids();
    if (before.size() > 2) index.remove({before.data(), before.size() / 3}, {1, nullptr});
    try {
        index.add(some, std::nullopt, {1, nullptr});
    } catch (const std::invalid_argument&) {  // the largest id is taken
    }
    options.exact = false;
    require_sound(index.search(some, options), index);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::Directory directory;
    directory.write("a.index", with_true_hashes({reinterpret_cast<const char*>(data), size}));
    try {
        Index index = Index::load(directory.path() / "a.index");
        if (index.dim() > 4096) return 0;  // sound, and slow
        if (index.options().metric == Metric::hamming) {
            use<std::uint8_t>(index, index.dim() / 8);
        } else {
            use<float>(index, index.dim());
        }
        index.save(directory.path() / "b.index");
        fuzz::require(Index::load(directory.path() / "b.index").ids() == index.ids(),
                      "a saved index is the same");
    } catch (const FormatError&) {
    }
    return 0;
}
