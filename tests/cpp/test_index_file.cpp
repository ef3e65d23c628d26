#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <numeric>
#include <system_error>

#include "search/hash64.hpp"
#include "search/index_file.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/random.hpp"
#include "unitvec/error.hpp"
#include "unitvec/search/index.hpp"

using namespace unitvec;

namespace {

constexpr std::size_t kDim = 6;

Index make_index(IndexKind kind, std::size_t n = 40) {
    IndexOptions options;
    options.kind = kind;
    options.M = 4;
    Index index(kDim, options);
    const auto values = random_floats(n * kDim, 1);
    index.add({values.data(), n, kDim});
    if (n > 2) index.remove(std::vector<Id>{2});
    return index;
}

std::string read_all(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<Id> answers(const Index& index) {
    const auto queries = random_floats(20 * kDim, 1'000'003);
    SearchOptions options;
    options.k = 5;
    return index.search({queries.data(), 20, kDim}, options).ids;
}

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// Changes the header and makes both hashes true again, as an attacker would.
template <typename Change>
std::string forged(std::string file, const Change& change) {
    IndexHeader header;
    std::memcpy(&header, file.data(), sizeof(header));
    change(header, file);
    header.payload_hash = hash64(bytes_of(file).subspan(sizeof(header)));
    std::memcpy(file.data(), &header, sizeof(header));
    header.header_hash = hash64(bytes_of(file).first(offsetof(IndexHeader, header_hash)));
    std::memcpy(file.data(), &header, sizeof(header));
    return file;
}

/// Makes writes beyond `bytes` fail with EFBIG, as a full disk makes them fail with ENOSPC.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit before_{};
    void (*handler_)(int);
};

}  // namespace

TEST_CASE("hash64 gives the published values of XXH64", "[index_file]") {
    CHECK(hash64({}) == 0xEF46DB3751D8E999ULL);
    CHECK(hash64(bytes_of("a")) == 0xD24EC4F1A98C6E5BULL);
    CHECK(hash64(bytes_of("abc")) == 0x44BC2CF5AD770999ULL);
    const std::string text = "Nobody inspects the spammish repetition";
    CHECK(hash64(bytes_of(text)) == 0xFBCEA83C8A378BF1ULL);
    Hash64 in_pieces;
    for (std::size_t i = 0; i < text.size(); ++i) in_pieces.update(bytes_of(text).subspan(i, 1));
    CHECK(in_pieces.digest() == hash64(bytes_of(text)));
}

TEST_CASE("a loaded index answers and grows as the saved one", "[index_file]") {
    const IndexKind kind = GENERATE(IndexKind::flat, IndexKind::hnsw, IndexKind::automatic);
    const std::size_t n =
        GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{40}, std::size_t{3000});
    const TemporaryFolder folder;
    Index index = make_index(kind, n);
    index.save(folder.path() / "a.index");
    Index loaded = Index::load(folder.path() / "a.index");
    CHECK(loaded.options().kind == kind);
    CHECK(loaded.ids() == index.ids());
    CHECK(answers(loaded) == answers(index));
    const auto more = random_floats(30 * kDim, 2'000'003);
    CHECK(loaded.add({more.data(), 30, kDim}) == index.add({more.data(), 30, kDim}));
    CHECK(loaded.search({more.data(), 1, kDim}, {}).ids[0] == static_cast<Id>(n));
    loaded.save(folder.path() / "b.index");
    CHECK(answers(Index::load(folder.path() / "b.index")) == answers(loaded));
}

TEST_CASE("a loaded index of lists and codes answers and grows as the saved one", "[index_file]") {
    const IndexKind kind = GENERATE(IndexKind::ivf, IndexKind::ivfpq);
    const std::size_t n = GENERATE(std::size_t{40}, std::size_t{3000});
    const TemporaryFolder folder;
    Index index = make_index(kind, n);
    CHECK((index.stats().lists > 0) == (n == 3000));
    index.save(folder.path() / "a.index");
    Index loaded = Index::load(folder.path() / "a.index");
    CHECK(loaded.options().pq_m == index.options().pq_m);
    CHECK(loaded.ids() == index.ids());
    CHECK(answers(loaded) == answers(index));
    const auto more = random_floats(30 * kDim, 2'000'003);
    CHECK(loaded.add({more.data(), 30, kDim}) == index.add({more.data(), 30, kDim}));
    CHECK(answers(loaded) == answers(index));
    loaded.save(folder.path() / "b.index");
    index.save(folder.path() / "c.index");
    CHECK(read_all(folder.path() / "b.index") == read_all(folder.path() / "c.index"));
}

TEST_CASE("files of the versions before are read", "[index_file]") {
    const TemporaryFolder folder;
    const auto kind = GENERATE(IndexKind::hnsw, IndexKind::ivf);
    const Index index = make_index(kind, 2000);
    index.save(folder.path() / "a");
    const auto file = read_all(folder.path() / "a");
    const auto third = [](IndexHeader& h, std::string&) { h.version = 3; };
    CHECK(answers(Index::load(folder.write("third", forged(file, third)))) == answers(index));
    const auto second = [](IndexHeader& h, std::string&) { h.version = 2; };
    CHECK(answers(Index::load(folder.write("second", forged(file, second)))) == answers(index));
    const auto first = [](IndexHeader& h, std::string&) {
        h.version = 1;
        h.nlist = h.nprobe = 0;
    };
    const auto path = folder.write("first", forged(file, first));
    if (kind == IndexKind::hnsw) CHECK(answers(Index::load(path)) == answers(index));
    if (kind == IndexKind::ivf) CHECK_THROWS_AS(Index::load(path), FormatError);
}

TEST_CASE("sketches are saved, made for older files, and checked", "[index_file]") {
    constexpr std::size_t kLong = 100, kRows = 1100, kSketch = 32;
    const TemporaryFolder folder;
    IndexOptions options;
    options.kind = IndexKind::hnsw;
    options.M = 4;
    options.dtype = GENERATE(VectorType::float32, VectorType::int8);
    Index index(kLong, options);
    const auto values = random_floats(kRows * kLong, 1);
    index.add({values.data(), kRows, kLong});
    index.save(folder.path() / "a");
    const auto whole = read_all(folder.path() / "a");
    const auto found = [&](const Index& other) {
        SearchOptions search;
        search.k = 5;
        return other.search({values.data(), 200, kLong}, search).ids;
    };
    Index loaded = Index::load(folder.path() / "a");
    CHECK(found(loaded) == found(index));
    CHECK(loaded.stats().bytes == index.stats().bytes);
    loaded.save(folder.path() / "b");
    CHECK(read_all(folder.path() / "b") == whole);

    const std::size_t sketches = kRows * kSketch, centre = 448;  // 400 bytes, padded
    REQUIRE(sketches % 64 == 0);
    const auto third = forged(whole, [&](IndexHeader& h, std::string& file) {
        h.version = 3;
        h.sketch_bytes = 0;
        file.resize(file.size() - sketches - centre);
    });
    const Index older = Index::load(folder.write("third", third));
    CHECK(found(older) == found(index));
    older.save(folder.path() / "b");
    CHECK(read_all(folder.path() / "b") == whole);

    using Change = std::function<void(IndexHeader&, std::string&)>;
    const std::vector<Change> changes{
        [](IndexHeader& h, std::string&) { h.sketch_bytes = 0; },
        [](IndexHeader& h, std::string&) { h.sketch_bytes = 16; },
        [](IndexHeader& h, std::string&) { h.sketch_bytes = ~0U; },
        [](IndexHeader& h, std::string&) { h.version = 3; },
        [](IndexHeader& h, std::string&) { h.metric = 3; },  // manhattan has none
        [&](IndexHeader&, std::string& f) {
            std::memset(&f[f.size() - sketches - centre], 0xFF, 4);  // NaN
        },
        [&](IndexHeader&, std::string& f) { f.resize(f.size() - 64); },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        INFO("change " << i);
        CHECK_THROWS_AS(Index::load(folder.write("forged", forged(whole, changes[i]))),
                        FormatError);
    }
    // Whatever sketches say, a walk finds as many rows as it should, and never others' memory.
    const auto other = forged(whole, [&](IndexHeader&, std::string& f) {
        std::memset(&f[f.size() - sketches], 0xFF, sketches);
    });
    CHECK(found(Index::load(folder.write("other", other))) == found(index));  // NaN: no limit
}

TEST_CASE("few rows may have sketches, and get more rows", "[index_file]") {
    constexpr std::size_t kLong = 100, kSketch = 32;
    const TemporaryFolder folder;
    IndexOptions options;
    options.kind = IndexKind::hnsw;
    Index index(kLong, options);
    const auto values = random_floats(500 * kLong, 1);
    index.add({values.data(), 8, kLong});
    index.save(folder.path() / "a");
    const auto sketched =
        forged(read_all(folder.path() / "a"), [&](IndexHeader& h, std::string& file) {
            h.sketch_bytes = kSketch;
            file.resize(file.size() + 448 + 8 * kSketch);
        });
    Index loaded = Index::load(folder.write("sketched", sketched));
    loaded.add({values.data() + 8 * kLong, 492, kLong});
    SearchOptions search;
    search.k = 1;
    const auto ids = loaded.search({values.data(), 500, kLong}, search).ids;
    std::size_t found = 0;
    for (std::size_t i = 0; i < 500; ++i) found += ids[i] == static_cast<Id>(i) ? 1 : 0;
    CHECK(found > 400);  // the forged ones say that those rows are far away
}

TEST_CASE("saving is reproducible and leaves no other file", "[index_file]") {
    const TemporaryFolder folder;
    const Index index = make_index(IndexKind::hnsw);
    index.save(folder.path() / "a");
    const auto first = read_all(folder.path() / "a");
    index.save(folder.path() / "a");
    CHECK(read_all(folder.path() / "a") == first);
    using Files = std::filesystem::directory_iterator;
    CHECK(std::distance(Files(folder.path()), Files()) == 1);
}

TEST_CASE("a file cut anywhere is refused", "[index_file]") {
    const TemporaryFolder folder;
    make_index(GENERATE(IndexKind::flat, IndexKind::hnsw)).save(folder.path() / "a");
    const auto whole = read_all(folder.path() / "a");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto cut = folder.write("cut", whole.substr(0, size));
        INFO(size << " of " << whole.size() << " bytes");
        REQUIRE_THROWS_AS(Index::load(cut), FormatError);
    }
    CHECK_THROWS_AS(Index::load(folder.write("long", whole + '\0')), FormatError);
}

TEST_CASE("every flipped bit is noticed", "[index_file]") {
    const TemporaryFolder folder;
    make_index(IndexKind::hnsw, 12).save(folder.path() / "a");
    const auto whole = read_all(folder.path() / "a");
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        auto damaged = whole;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        INFO("bit " << bit);
        REQUIRE_THROWS_AS(Index::load(folder.write("damaged", damaged)), FormatError);
    }
}

TEST_CASE("foreign files are refused with the place", "[index_file]") {
    const TemporaryFolder folder;
    const auto text = folder.write("text", std::string(1000, 'x'));
    CHECK_THROWS_WITH(Index::load(text), ContainsSubstring("text: byte 0") &&
                                             ContainsSubstring("not a file of Index.save"));
    CHECK_THROWS_AS(Index::load(folder.write("empty", "")), FormatError);
    CHECK_THROWS_AS(Index::load(folder.path()), FormatError);
    CHECK_THROWS_AS(Index::load(folder.path() / "none"), FormatError);
}

TEST_CASE("a forged header with true hashes is refused without a huge allocation", "[index_file]") {
    const TemporaryFolder folder;
    make_index(IndexKind::hnsw, 12).save(folder.path() / "a");
    const auto whole = read_all(folder.path() / "a");
    using Change = void (*)(IndexHeader&, std::string&);
    const std::vector<Change> changes{
        [](IndexHeader& h, std::string&) { h.rows = std::uint64_t{1} << 30; },
        [](IndexHeader& h, std::string&) { h.rows = ~std::uint64_t{0}; },
        [](IndexHeader& h, std::string&) { h.rows = 11; },
        [](IndexHeader& h, std::string&) { h.dim = 0; },
        [](IndexHeader& h, std::string&) { h.dim = std::uint64_t{1} << 20; },
        [](IndexHeader& h, std::string&) { h.dim = ~std::uint64_t{0}; },
        [](IndexHeader& h, std::string&) { h.links = ~std::uint64_t{0}; },
        [](IndexHeader& h, std::string&) { h.links += 16; },
        [](IndexHeader& h, std::string&) { h.links = 0; },
        [](IndexHeader& h, std::string&) { h.M = 1; },
        [](IndexHeader& h, std::string&) { h.M = 5; },
        [](IndexHeader& h, std::string&) { h.kind = 0; },  // has no graph
        [](IndexHeader& h, std::string&) { h.kind = 3; },
        [](IndexHeader& h, std::string&) { h.metric = 4; },  // hamming needs dtype bits
        [](IndexHeader& h, std::string&) { h.metric = 5; },
        [](IndexHeader& h, std::string&) { h.dtype = 1; },  // float16: the sizes do not add up
        [](IndexHeader& h, std::string&) { h.dtype = 3; },
        [](IndexHeader& h, std::string&) { h.dtype = 4; },
        [](IndexHeader& h, std::string&) { h.next_id = 3; },
        [](IndexHeader& h, std::string&) { h.next_id = ~std::uint64_t{0}; },
        [](IndexHeader& h, std::string&) { h.entry_point = 12; },
        [](IndexHeader& h, std::string&) { h.entry_point = -2; },
        [](IndexHeader& h, std::string&) { h.max_level = 7; },
        [](IndexHeader& h, std::string&) { h.version = 5; },
        [](IndexHeader& h, std::string&) { h.sketch_bytes = 32; },
        [](IndexHeader& h, std::string&) { h.version = 0; },
        [](IndexHeader&, std::string& f) { std::memset(&f[192], 0, 16); },          // ids 0, 0
        [](IndexHeader&, std::string& f) { std::memset(&f[192], 0xFE, 8); },        // id below -1
        [](IndexHeader&, std::string& f) { std::memset(&f[192 + 128], 0xFF, 4); },  // NaN
        [](IndexHeader&, std::string& f) { f[192 + 128 + 320] = 100; },             // level
        [](IndexHeader&, std::string& f) { f[192 + 128 + 320 + 64] = 100; },        // link
        [](IndexHeader&, std::string& f) { f[192 + 128 + 320 + 64 + 3] = char(-2); },  // link < -1
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        INFO("change " << i);
        CHECK_THROWS_AS(Index::load(folder.write("forged", forged(whole, changes[i]))),
                        FormatError);
    }
    const auto unchanged = forged(whole, [](IndexHeader&, std::string&) {});
    CHECK(unchanged == whole);
}

TEST_CASE("forged lists and codes with true hashes are refused", "[index_file]") {
    const TemporaryFolder folder;
    const std::size_t rows = 1024;
    const Index index = make_index(IndexKind::ivfpq, rows);
    index.save(folder.path() / "a");
    const auto whole = read_all(folder.path() / "a");
    const std::size_t lists = index.stats().lists;
    const auto padded = [](std::size_t bytes) { return (bytes + 63) / 64 * 64; };
    const std::size_t centroids = 192 + padded(rows * 8) + padded(rows * kDim * 4);
    const std::size_t list_of_row = centroids + padded(lists * kDim * 4);
    const std::size_t code_centroids = list_of_row + padded(rows * 4);
    const std::size_t codes = code_centroids + padded(kDim * 256 * 4);
    REQUIRE(whole.size() == codes + padded(rows * index.options().pq_m));
    using Change = std::function<void(IndexHeader&, std::string&)>;
    const std::vector<Change> changes{
        [](IndexHeader& h, std::string&) { h.kind = 3; },
        [](IndexHeader& h, std::string&) { h.kind = 1; },
        [](IndexHeader& h, std::string&) { h.kind = 5; },
        [](IndexHeader& h, std::string&) { h.version = 2; },
        [](IndexHeader& h, std::string&) { h.metric = 3; },  // manhattan
        [](IndexHeader& h, std::string&) { h.pq_m = 0; },
        [](IndexHeader& h, std::string&) { h.pq_m = kDim; },  // the sizes do not add up
        [](IndexHeader& h, std::string&) { h.pq_m = kDim + 1; },
        [](IndexHeader& h, std::string&) { h.pq_m = ~std::uint64_t{0}; },
        [](IndexHeader& h, std::string&) { h.lists = 0; },
        [](IndexHeader& h, std::string&) { h.lists += 16; },
        [](IndexHeader& h, std::string&) { h.lists = ~std::uint32_t{0}; },
        [](IndexHeader& h, std::string&) { h.nprobe = 0; },
        [&](IndexHeader&, std::string& f) { std::memset(&f[centroids], 0xFF, 4); },    // NaN
        [&](IndexHeader&, std::string& f) { std::memset(&f[list_of_row], 0xFF, 4); },  // -1
        [&](IndexHeader&, std::string& f) { std::memset(&f[list_of_row], 0x7F, 4); },  // too many
        [&](IndexHeader&, std::string& f) { std::memset(&f[code_centroids], 0xFF, 4); },  // NaN
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        INFO("change " << i);
        CHECK_THROWS_AS(Index::load(folder.write("forged", forged(whole, changes[i]))),
                        FormatError);
    }
    // Any byte is a code: what it stands for may be wrong, so other candidates are compared.
    const auto other = forged(whole, [&](IndexHeader&, std::string& f) {
        std::memset(&f[codes], 0xFF, rows * index.options().pq_m);
    });
    CHECK(answers(Index::load(folder.write("other", other))).size() == answers(index).size());
}

TEST_CASE("forged vectors whose squares overflow are refused", "[index_file]") {
    const TemporaryFolder folder;
    IndexOptions options;
    options.kind = GENERATE(IndexKind::flat, IndexKind::ivf);
    options.metric = GENERATE(Metric::cosine, Metric::euclidean);
    options.dtype = GENERATE(VectorType::float32, VectorType::int8);
    options.nlist = 2;
    Index index(kDim, options);
    const auto values = random_floats(16 * kDim, 1);
    index.train({values.data(), 16, kDim});
    index.add({values.data(), 16, kDim});
    index.save(folder.path() / "a");
    const auto whole = read_all(folder.path() / "a");
    const bool bytes = options.dtype == VectorType::int8;  // the row begins with its scale
    const std::size_t row = sizeof(IndexHeader) + 128;     // behind 16 ids
    std::vector<std::size_t> places{row};
    if (options.kind == IndexKind::ivf) places.push_back(row + (bytes ? 16 * 12 : 16 * 4 * kDim));
    for (const std::size_t place : places) {
        const bool scale = bytes && place == row;
        const float most = scale ? 1e18F / 127 : 0.99e18F;
        const auto with = [&](float x) {
            return folder.write("forged", forged(whole, [&](IndexHeader&, std::string& file) {
                                    std::memcpy(&file[place], &x, sizeof(x));
                                }));
        };
        INFO(name(options.kind) << ", dtype " << name(options.dtype) << ", byte " << place);
        CHECK_NOTHROW(Index::load(with(most)));
        CHECK_THROWS_AS(Index::load(with(100.0F * most)), FormatError);
        CHECK_THROWS_AS(Index::load(with(-3e38F)), FormatError);
    }
}

TEST_CASE("a failed save keeps the old file and says why", "[index_file]") {
    const TemporaryFolder folder;
    const Index index = make_index(IndexKind::flat);
    CHECK_THROWS_AS(index.save(folder.path() / "none" / "a"), std::system_error);
    std::filesystem::create_directory(folder.path() / "taken");
    CHECK_THROWS_AS(index.save(folder.path() / "taken"), std::system_error);
    using Files = std::filesystem::directory_iterator;
    CHECK(std::distance(Files(folder.path()), Files()) == 1);  // no temporary file is left
}

TEST_CASE("a write that fails half-way keeps the old file", "[index_file]") {
    const TemporaryFolder folder;
    const Index index = make_index(IndexKind::hnsw, 3000);
    const auto path = folder.write("a", "old");
    {
        const FileSizeLimit limit(GENERATE(100u, 10'000u, 50'000u));
        CHECK_THROWS_AS(index.save(path), std::system_error);
        CHECK_THROWS_AS(index.to_faiss(path), std::system_error);
    }
    CHECK(read_all(path) == "old");
    using Files = std::filesystem::directory_iterator;
    CHECK(std::distance(Files(folder.path()), Files()) == 1);
}
