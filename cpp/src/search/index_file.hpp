#pragma once
/// The file of an index, byte by byte. All numbers are little-endian.
///
///   offset  bytes  field
///        0      8  magic "UNITVEC" and a line feed (a transfer as text would change it)
///        8      4  version of this format: 4; in 1 the fields from 112 on were zeros, in 2 from
///        136 on, in 3 from 152 on
///       12      4  bytes of this header: 192
///       16      4  kind: 0 flat, 1 hnsw, 2 auto, 3 ivf, 4 ivfpq
///       20      4  metric, as in types.hpp
///       24      8  dim                                    32  8  rows, dead ones included
///       40      8  next id to be given                    48  8  M
///       56      8  ef_construction                        64  8  ef_search
///       72      8  automatic_threshold                    80  8  links; 0: no graph
///       88      4  entry point                            92  4  highest level
///       96     16  version of FAISS of the build that wrote it, padded with zeros
///      112      4  dtype, as in vector_type.hpp         116  4  lists; 0: none were learnt
///      120      8  nlist                                128  8  nprobe
///      136      8  pq_m; 0: not ivfpq                   144  8  max_memory
///      152      4  bytes of a sketch; 0: none were made    156 20  zeros
///      176      8  XXH64 of everything after this header
///      184      8  XXH64 of the 184 bytes before
///      192         ids: rows x int64, -1 where removed      (each part padded to 64 bytes by
///      zeros)
///                  vectors: rows as row_codec.hpp writes them; float32: rows x dim numbers
///                  levels: rows x int32, links x int32      (where there is a graph)
///                  centre: dim float32, sketches: rows x their bytes, as row_sketches.hpp makes
///                  them                                     (where there are, of a graph)
///                  centroids: lists x dim float32, list of each row: rows x int32  (and lists)
///                  centroids of the codes: dim x 256 float32, as product_quantizer.hpp has them,
///                  codes: rows x pq_m bytes                  (and lists of kind ivfpq)
///
/// The sizes of the parts follow from the header and must add up to the file's size exactly, before
/// anything is allocated. The graph is kept in our own form rather than FAISS's, so that every link
/// can be checked before it is followed.
#include <array>
#include <cstddef>
#include <cstdint>

namespace unitvec {

struct IndexHeader {
    std::array<char, 8> magic;
    std::uint32_t version;
    std::uint32_t header_bytes;
    std::uint32_t kind;
    std::uint32_t metric;
    std::uint64_t dim;
    std::uint64_t rows;
    std::uint64_t next_id;
    std::uint64_t M;
    std::uint64_t ef_construction;
    std::uint64_t ef_search;
    std::uint64_t automatic_threshold;
    std::uint64_t links;
    std::int32_t entry_point;
    std::int32_t max_level;
    std::array<char, 16> faiss_version;
    std::uint32_t dtype;
    std::uint32_t lists;
    std::uint64_t nlist;
    std::uint64_t nprobe;
    std::uint64_t pq_m;
    std::uint64_t max_memory;
    std::uint32_t sketch_bytes;
    std::array<char, 20> reserved;
    std::uint64_t payload_hash;
    std::uint64_t header_hash;
};
static_assert(sizeof(IndexHeader) == 192, "the header is written as it lies in memory");

inline constexpr std::array<char, 8> kIndexMagic{'U', 'N', 'I', 'T', 'V', 'E', 'C', '\n'};
inline constexpr std::uint32_t kIndexVersion = 4;
inline constexpr std::uint32_t kOldestIndexVersion = 1;
inline constexpr std::uint32_t kSketchedVersion = 4;  ///< the first with sketches
inline constexpr std::size_t kIndexAlignment = 64;

}  // namespace unitvec
