#include <faiss/Index.h>
#include <faiss/IndexBinary.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexRefine.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>

#include "file.hpp"
#include "unitvec/error.hpp"
#include "unitvec/search/index.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kAtOnce = 4096;  // vectors taken over between two looks at the interrupt

/// FAISS's reader over bytes in memory; it never reads past them.
class BytesReader final : public faiss::IOReader {
public:
    BytesReader(std::string file, std::span<const std::byte> bytes) : bytes_(bytes) {
        name = std::move(file);
    }
    std::size_t operator()(void* to, std::size_t size, std::size_t count) override {
        const std::size_t whole = size == 0 ? 0 : std::min(count, bytes_.size() / size);
        if (whole > 0) std::memcpy(to, bytes_.data(), whole * size);
        bytes_ = bytes_.subspan(whole * size);
        return whole;
    }

private:
    std::span<const std::byte> bytes_;
};

Metric metric_of(const faiss::Index& index, const std::string& file) {
    switch (index.metric_type) {
        case faiss::METRIC_INNER_PRODUCT: return Metric::dot;
        case faiss::METRIC_L2: return Metric::euclidean;
        case faiss::METRIC_L1: return Metric::manhattan;
        default:
            throw FormatError(file, "metric",
                              "expected inner product, L2 or L1, got FAISS's metric " +
                                  std::to_string(index.metric_type));
    }
}

/// What is searched: an index that re-ranks what another has found is a way of storing that one.
const faiss::Index& searched(const faiss::Index& index) {
    const auto* refined = dynamic_cast<const faiss::IndexRefine*>(&index);
    return refined == nullptr ? index : *refined->base_index;
}

IndexKind kind_of(const faiss::Index& index) {
    if (dynamic_cast<const faiss::IndexIVFPQ*>(&index) != nullptr) return IndexKind::ivfpq;
    if (dynamic_cast<const faiss::IndexHNSW*>(&index) != nullptr) return IndexKind::hnsw;
    if (dynamic_cast<const faiss::IndexIVF*>(&index) != nullptr) return IndexKind::ivf;
    return IndexKind::flat;
}

/// The ids of rows [first, first + count) of an index that numbers its rows, under a map or not.
std::vector<Id> ids_of(const std::vector<std::int64_t>* map, std::size_t first, std::size_t count) {
    std::vector<Id> ids(count);
    for (std::size_t i = 0; i < count; ++i) {
        ids[i] = static_cast<Id>(map == nullptr ? first + i : (*map)[first + i]);
    }
    return ids;
}

void require_map(const std::string& file, std::size_t ids, std::int64_t rows) {
    if (ids == static_cast<std::size_t>(rows)) return;
    throw FormatError(file, "ids",
                      "expected " + std::to_string(rows) + ", got " + std::to_string(ids));
}

/// Vectors in the order of their rows.
void take_rows(const faiss::Index& from, const std::vector<std::int64_t>* map, Index& to,
               const AddOptions& options) {
    const auto rows = static_cast<std::size_t>(from.ntotal);
    for (std::size_t first = 0; first < rows; first += kAtOnce) {
        const std::size_t count = std::min(kAtOnce, rows - first);
        Matrix vectors(count, to.dim());
        from.reconstruct_n(static_cast<std::int64_t>(first), static_cast<std::int64_t>(count),
                           vectors.data());
        to.add(vectors.view(), ids_of(map, first, count), options);
    }
}

void take_rows(const faiss::IndexBinary& from, const std::vector<std::int64_t>* map, Index& to,
               const AddOptions& options) {
    const auto rows = static_cast<std::size_t>(from.ntotal);
    const std::size_t bytes = to.dim() / 8;
    for (std::size_t first = 0; first < rows; first += kAtOnce) {
        const std::size_t count = std::min(kAtOnce, rows - first);
        std::vector<std::uint8_t> bits(count * bytes);
        // One by one: reconstruct_n() of FAISS 1.7.3 steps by bits where it should by bytes.
        for (std::size_t i = 0; i < count; ++i) {
            from.reconstruct(static_cast<std::int64_t>(first + i), bits.data() + i * bytes);
        }
        to.add(BitsView{bits.data(), count, bytes}, ids_of(map, first, count), options);
    }
}

/// Vectors list by list, under the ids that the lists have.
void take_lists(const faiss::IndexIVF& from, Index& to, const AddOptions& options) {
    for (std::size_t list = 0; list < from.nlist; ++list) {
        const std::size_t size = from.invlists->list_size(list);
        faiss::InvertedLists::ScopedIds ids(from.invlists, list);
        Matrix vectors(size, to.dim());
        for (std::size_t i = 0; i < size; ++i) {
            from.reconstruct_from_offset(static_cast<std::int64_t>(list),
                                         static_cast<std::int64_t>(i), vectors.row(i).data());
        }
        const std::vector<Id> named(ids.get(), ids.get() + size);
        to.add(vectors.view(), named, options);
    }
}

Index import_numbers(const std::string& file, faiss::IOReader& reader,
                     const FaissImport& import_options) {
    const std::unique_ptr<faiss::Index> whole(faiss::read_index(&reader));
    const auto* map = dynamic_cast<const faiss::IndexIDMap*>(whole.get());
    const faiss::Index& inner = map == nullptr ? *whole : *map->index;
    if (map != nullptr) require_map(file, map->id_map.size(), inner.ntotal);

    IndexOptions options;
    options.kind = import_options.kind.value_or(kind_of(searched(inner)));
    options.metric = import_options.metric.value_or(metric_of(inner, file));
    if (const auto* coded = dynamic_cast<const faiss::IndexIVFPQ*>(&searched(inner))) {
        options.pq_m = coded->pq.M;
    }
    Index index(static_cast<std::size_t>(inner.d), options);
    const auto* lists = dynamic_cast<const faiss::IndexIVF*>(&inner);
    if (lists != nullptr && map == nullptr) {
        take_lists(*lists, index, import_options.add);
    } else {
        take_rows(inner, map == nullptr ? nullptr : &map->id_map, index, import_options.add);
    }
    return index;
}

Index import_bits(const std::string& file, faiss::IOReader& reader,
                  const FaissImport& import_options) {
    const std::unique_ptr<faiss::IndexBinary> whole(faiss::read_index_binary(&reader));
    const auto* map = dynamic_cast<const faiss::IndexBinaryIDMap*>(whole.get());
    const faiss::IndexBinary& inner = map == nullptr ? *whole : *map->index;
    if (map != nullptr) require_map(file, map->id_map.size(), inner.ntotal);

    IndexOptions options;
    options.kind = import_options.kind.value_or(IndexKind::flat);
    options.metric = Metric::hamming;
    Index index(static_cast<std::size_t>(inner.d), options);
    take_rows(inner, map == nullptr ? nullptr : &map->id_map, index, import_options.add);
    return index;
}

}  // namespace

Index Index::from_faiss(const std::filesystem::path& path, const FaissImport& options) {
    const MappedFile mapped(path);
    BytesReader reader(path.string(), mapped.bytes());
    const bool bits = mapped.bytes().size() >= 2 &&
                      std::memcmp(mapped.bytes().data(), "IB", 2) == 0;  // of its four letters
    try {
        return bits ? import_bits(path.string(), reader, options)
                    : import_numbers(path.string(), reader, options);
    } catch (const faiss::FaissException& error) {
        throw FormatError(path.string(), "",
                          std::string("expected an index that FAISS reads and "
                                      "whose vectors it gives back: ") +
                              error.what());
    } catch (const std::bad_alloc&) {
        throw FormatError(path.string(), "", "expected an index that fits into memory");
    }
}

}  // namespace unitvec
