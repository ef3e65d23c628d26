#pragma once
/// The vector index: ids and vectors in, the nearest of them out; exact or through a graph.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unitvec/search/recall.hpp"
#include "unitvec/search/vector_type.hpp"
#include "unitvec/types.hpp"

namespace unitvec {

/// How the vectors are searched.
enum class IndexKind {
    flat,  ///< every vector is compared: exact; O(n * dim) a query, dim * 4 bytes a vector
    hnsw,  ///< a graph over the vectors (Malkov and Yashunin 2016): approximate, O(log n) a query
    /// flat until IndexOptions::automatic_threshold vectors, then hnsw, but ivf where a graph would
    /// take more than IndexOptions::max_memory, without codes
    automatic,
    /// Lists of vectors around centroids, some of which are looked through: approximate, O(sqrt(n))
    /// a query with the usual number of lists; built sooner than a graph. 8 bytes a vector, and
    /// beside float32 and float16 an 8-bit code, dim + 4 bytes, that searches compare first.
    ivf,
    /// ivf whose searches compare codes, a byte for some numbers of a vector, and then the vectors
    /// of the best by code: about as quick for a few dozen bytes a vector in place of dim + 4;
    /// product quantisation (Jegou, Douze and Schmid 2011).
    ivfpq,
};

/// "flat", "hnsw", "auto", "ivf" or "ivfpq".
[[nodiscard]] std::string_view name(IndexKind kind);
/// "cosine", "dot", "euclidean", "manhattan" or "hamming".
[[nodiscard]] std::string_view name(Metric metric);

/// @throws std::invalid_argument naming the kinds that this version builds
[[nodiscard]] IndexKind parse_index_kind(std::string_view name);
/// @throws std::invalid_argument naming the metrics
[[nodiscard]] Metric parse_metric(std::string_view name);

/// What is fixed when an index is made.
struct IndexOptions {
    IndexKind kind = IndexKind::hnsw;
    Metric metric = Metric::cosine;
    /// Links a vector keeps on each level, twice as many on the lowest. More: higher recall,
    /// 8 * M bytes a vector, slower to build. In [2, 512].
    std::size_t M = 32;
    /// Candidates looked at for each vector added. More: better graph, slower to build.
    std::size_t ef_construction = 40;
    /// Candidates kept in a search that names none. More: higher recall, slower.
    std::size_t ef_search = 64;
    /// Live vectors from which `automatic` builds a graph: below, a scan takes a few milliseconds.
    std::size_t automatic_threshold = 50'000;
    /// Bytes that an `automatic` index with a graph may take: above them it has lists instead, or
    /// in a metric that ivf does not know stays flat. 0: the memory that this process may use, that
    /// of the machine or of its control group.
    std::size_t max_memory = 0;
    /// Lists of an ivf or ivfpq index; 0: 4 sqrt(n), chosen when they are learnt.
    std::size_t nlist = 0;
    /// Lists that a search of an ivf or ivfpq index looks through, when it names no number.
    std::size_t nprobe = 16;
    /// Bytes of a code of an ivfpq index, one for each part of a vector, from 1 to dim; FAISS's M.
    /// More: fewer neighbours missed, slower. 0: one for 8 numbers, or for 7 to 4 where dim is a
    /// multiple of these only.
    std::size_t pq_m = 0;
    /// How vectors are kept. Under Metric::hamming it is bits, whatever stands here.
    VectorType dtype = VectorType::float32;
};

/// Vectors of bits, for Metric::hamming: (n, dim / 8) bytes, the first bit of eight the highest, as
/// numpy.packbits has them.
using BitsView = MatrixView<const std::uint8_t>;

/// Returns true when the caller wants the work given up (Ctrl-C). Called from the calling thread
/// only, several times a second.
using InterruptCheck = std::function<bool()>;

struct AddOptions {
    std::size_t threads = 0;  ///< 0: default_threads()
    InterruptCheck interrupted = nullptr;
};

struct RemoveOptions {
    bool clear_dead = true;   ///< false: leave dead rows where they are, and the graph as it is
    std::size_t threads = 0;  ///< for clearing; 0: default_threads()
    InterruptCheck interrupted = nullptr;
};

/// Lets a walk through a graph end before it has kept ef_search candidates: when the nearest row in
/// sight is neither among the `least` nearest that were met nor within (1 + slack) times the
/// distance of the k-th of them. Not under Metric::dot.
struct EarlyEnd {
    std::size_t least;
    std::size_t k;
    double slack;
};

struct SearchOptions {
    std::size_t k = 10;
    /// Only these ids may be found; ids that the index does not hold never match. Nothing: all.
    std::optional<std::span<const Id>> allowed_ids = std::nullopt;
    std::size_t ef_search = 0;  ///< 0: the index's own; raised to k where smaller
    std::size_t nprobe = 0;     ///< 0: the index's own
    /// Recall wanted, above 0 and at most 1: ef_search or nprobe, or an exact scan, is chosen to
    /// reach it. 0: none is. See Index::tune.
    double min_recall = 0.0;
    bool exact = false;       ///< compare with every vector, whatever the kind
    std::size_t threads = 0;  ///< 0: default_threads()
    InterruptCheck interrupted = nullptr;
    /// A mark for each of allowed_ids: only ids with one are allowed. Nothing: all of them are.
    std::optional<std::span<const bool>> allowed_marks = std::nullopt;
    std::optional<EarlyEnd> early_end = std::nullopt;
};

/// Neighbours, best first; rows that have fewer than k end in id -1 with score -infinity.
struct SearchResult {
    Matrix scores;        ///< shape (nq, k); larger is nearer, see Index::search
    std::vector<Id> ids;  ///< shape (nq, k), row-major
    bool exact = false;   ///< no nearer vector was missed
    /// Share of the true k nearest that such a search finds: 1 where exact; else as measured on a
    /// sample, where one was measured.
    std::optional<double> recall_estimate = std::nullopt;
};

/// Everything within a score: query q owns entries [offsets[q], offsets[q + 1]), best first.
struct RangeResult {
    std::vector<std::size_t> offsets;  ///< shape (nq + 1,)
    std::vector<float> scores;
    std::vector<Id> ids;
};

struct IndexStats {
    IndexKind kind;    ///< for `automatic` the one in use
    VectorType dtype;  ///< how vectors are kept
    std::size_t live;  ///< vectors that can be found
    std::size_t dead;  ///< removed, still occupying their place
    std::size_t dim;
    std::size_t bytes;         ///< memory of vectors, ids, and graph or lists
    std::size_t vector_bytes;  ///< of these, the vectors
    std::size_t code_bytes;    ///< and the codes that searches compare first, with what those of
                               ///< an ivfpq index are made by
    std::size_t mapped_bytes;  ///< of vectors that lie in a mapped file, not among `bytes`
    std::size_t lists;         ///< of an ivf or ivfpq index, 0 until they are learnt
    double imbalance;  ///< of its lists: expected length of a vector's list, to the mean length
    /// Rows that the index had when the oldest of the recalls in use was measured; nothing where
    /// none was.
    std::optional<std::size_t> calibrated_rows;
};

/// How Index::from_faiss() takes over an index of FAISS's.
struct FaissImport {
    /// Nothing: the file's, hnsw, ivf or ivfpq, and flat for every other.
    std::optional<IndexKind> kind = std::nullopt;
    /// Nothing: the file's, dot for an inner product. `cosine` where its vectors were normalised.
    std::optional<Metric> metric = std::nullopt;
    AddOptions add = {};
};

/// Vectors under 64-bit ids of the user's choice (0 or more), searched by one metric.
///
/// Threads: every method may be called from any thread. Searches run side by side; add, remove and
/// the rebuild they may start wait for running searches and make later ones wait.
/// A failed call changes nothing: a batch is added whole or not at all.
class Index {
public:
    /// @param dim  length of every vector; under Metric::hamming its bits, a multiple of 8
    /// @throws std::invalid_argument if dim or an option is out of its range
    Index(std::size_t dim, const IndexOptions& options);
    ~Index();
    Index(Index&&) noexcept;
    Index& operator=(Index&&) noexcept;

    /// Adds row i of `vectors` under ids[i]; without ids, under the numbers that follow the largest
    /// id ever used.
    ///
    /// @param vectors  shape (n, dim), finite; under cosine every length above 1e-12, under the
    ///                 other metrics at most 1e18 (so that no square overflows); in float16 no
    ///                 component above 65,504
    /// @throws std::invalid_argument on another shape, a bad vector (named by its row), an id that
    ///         is negative, repeated or present
    /// @throws Interrupted, with nothing added
    /// @returns the ids, shape (n,)
    std::vector<Id> add(MatrixView<const float> vectors,
                        std::optional<std::span<const Id>> ids = std::nullopt,
                        const AddOptions& options = {});
    std::vector<Id> add(BitsView vectors, std::optional<std::span<const Id>> ids = std::nullopt,
                        const AddOptions& options = {});

    /// Makes room for that many vectors in all: adding them copies nothing, and no memory lies
    /// idle. Neither a limit nor a promise.
    /// @throws std::length_error above 2^31 - 1
    void reserve(std::size_t rows);

    /// Learns the centroids of an ivf index, and the codes of an ivfpq index, from these vectors
    /// and sorts those that it holds into the new lists. Never needed: add() learns them from what
    /// it was given, as soon as there are some thousand vectors, and anew when the lists no longer
    /// suit. Of other kinds it does nothing.
    /// @throws std::invalid_argument as add() does, and if there are fewer vectors than lists
    void train(MatrixView<const float> vectors, const AddOptions& options = {});

    /// Forgets these ids at once; their memory is returned when a fifth of all rows is dead, unless
    /// the options say that the dead stay.
    /// @throws std::invalid_argument if an id is unknown or repeated; then none is removed
    void remove(std::span<const Id> ids, const RemoveOptions& options = {});

    /// The k nearest vectors of each query. Scores: cosine and dot as they are, distances negated;
    /// all of them of the vectors as they are kept. Ties go to the vector added first (exact
    /// search). Each row's result is the same in any batch and with any number of threads.
    ///
    /// @param queries  shape (nq, dim), finite; a zero vector scores 0 under cosine
    /// @throws std::invalid_argument on another shape, a bad query, k = 0
    [[nodiscard]] SearchResult search(MatrixView<const float> queries,
                                      const SearchOptions& options) const;
    [[nodiscard]] SearchResult search(BitsView queries, const SearchOptions& options) const;

    /// Every vector whose score is at least `min_score`; exact for every kind.
    [[nodiscard]] RangeResult range_search(MatrixView<const float> queries, float min_score,
                                           const SearchOptions& options) const;
    [[nodiscard]] RangeResult range_search(BitsView queries, float min_score,
                                           const SearchOptions& options) const;

    /// Measures what recall@k searches of these queries reach with rising ef_search or nprobe,
    /// against exact search, until hardly anything is missed. Searches with a min_recall, and the
    /// recall_estimate, go by these queries from now on. Without a call of this, or with no
    /// queries, they go by mixtures of stored vectors, which find a little less than queries like
    /// the stored vectors do. What was measured is measured anew when the index has grown or
    /// shrunk by a fifth.
    ///
    /// @param queries  shape (nq, dim); some hundreds
    /// @returns nothing where every search is exact
    /// @throws std::invalid_argument as search does
    std::vector<RecallPoint> tune(MatrixView<const float> queries, const SearchOptions& options);
    std::vector<RecallPoint> tune(BitsView queries, const SearchOptions& options);

    /// The vectors of these ids as they are kept, (n, dim); normalised under cosine.
    /// @throws std::invalid_argument if an id is unknown, or under Metric::hamming
    [[nodiscard]] Matrix reconstruct(std::span<const Id> ids) const;
    /// The same under Metric::hamming: (n, dim / 8) bytes.
    [[nodiscard]] std::vector<std::uint8_t> reconstruct_bits(std::span<const Id> ids) const;

    [[nodiscard]] bool contains(Id id) const;
    [[nodiscard]] std::vector<Id> ids() const;  ///< of the live vectors, in the order of adding
    [[nodiscard]] std::size_t size() const;     ///< live vectors
    [[nodiscard]] std::size_t dim() const;
    [[nodiscard]] const IndexOptions& options() const;
    [[nodiscard]] IndexStats stats() const;

    /// Writes a temporary file beside `path`, flushes it to the disk and renames it: a reader finds
    /// the old file or the new one. Format: src/search/index_file.hpp.
    /// @throws std::system_error if any write fails
    void save(const std::filesystem::path& path) const;

    /// @param mapped  leave the vectors in the file, which is mapped into memory: the system reads
    ///     what searches need, and processes share it. The first change copies them into memory.
    ///     The file may be replaced or removed, as save() does, but not written into: the process
    ///     would find other vectors or, where it became shorter, be killed.
    /// @throws FormatError if the file is damaged in any way, foreign, or of a later version
    [[nodiscard]] static Index load(const std::filesystem::path& path, bool mapped = false);

    /// Writes a file for FAISS's read_index: an IndexIDMap2 over IndexFlat, IndexHNSWFlat or, for
    /// ivfpq with parts of equal length, an IndexRefineFlat of an IndexIVFPQ; or an IndexIVFFlat;
    /// in float32 whatever the dtype; under Metric::hamming for read_index_binary, an
    /// IndexBinaryIDMap2 over IndexBinaryFlat. Under cosine, queries must be normalised before
    /// searching it. Removed vectors are left out.
    /// @throws std::system_error if any write fails
    void to_faiss(const std::filesystem::path& path) const;

    /// The vectors of a file that FAISS wrote, under their ids, or their numbers where it has none;
    /// of compressed indexes as FAISS decodes them. Graphs, lists and codes are built anew. FAISS
    /// reads the file, and trusts more of it than load() does: not for files of unknown origin.
    /// @throws FormatError if FAISS cannot read it, or cannot give back its vectors
    /// @throws std::invalid_argument as add() does
    [[nodiscard]] static Index from_faiss(const std::filesystem::path& path,
                                          const FaissImport& options = {});

private:
    struct State;
    explicit Index(std::unique_ptr<State> state);

    // Of vectors that are checked and in the store's form.
    std::vector<Id> add_prepared(const Matrix& vectors, std::optional<std::span<const Id>> ids,
                                 const AddOptions& options);
    [[nodiscard]] SearchResult search_prepared(const Matrix& queries,
                                               const SearchOptions& options) const;
    std::vector<RecallPoint> tune_prepared(Matrix queries, const SearchOptions& options);
    [[nodiscard]] RangeResult range_search_prepared(const Matrix& queries, float min_score,
                                                    const SearchOptions& options) const;

    std::unique_ptr<State> state_;
};

/// The version of the FAISS that this build uses, e.g. "1.7.3".
[[nodiscard]] std::string faiss_version();

}  // namespace unitvec
