#include <sys/stat.h>

#include <cstring>
#include <string>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "unitvec/error.hpp"
#include "unitvec/model/safetensors.hpp"

using namespace unitvec;

namespace {

std::string with_length(const std::string& header, const std::string& data) {
    std::string bytes(8, '\0');
    const std::uint64_t length = header.size();
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(length >> (8 * i) & 0xff);
    return bytes + header + data;
}

const std::string kTwo = R"({"__metadata__":{"format":"pt"},)"
                         R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                         R"("b":{"dtype":"I8","shape":[1,3],"data_offsets":[8,11]}})";

void check_refused(const std::string& bytes, const std::string& message) {
    const TemporaryFolder folder;
    const auto path = folder.write("m.safetensors", bytes);
    CHECK_THROWS_AS(Safetensors::open(path), FormatError);
    CHECK_THROWS_WITH(Safetensors::open(path), ContainsSubstring(message));
}

std::string one(const std::string& fields) {
    return "{\"a\":{" + fields + "}}";
}

}  // namespace

TEST_CASE("safetensors gives names, shapes and bytes", "[safetensors]") {
    const TemporaryFolder folder;
    float values[2] = {1.5F, -2.0F};
    std::string data(11, '\7');
    std::memcpy(data.data(), values, 8);
    const auto file = Safetensors::open(folder.write("m.safetensors", with_length(kTwo, data)));
    CHECK(file.names() == std::vector<std::string>{"a", "b"});
    CHECK(file.at("a").dtype == "F32");
    CHECK(file.at("b").shape == std::vector<std::size_t>{1, 3});
    CHECK(std::memcmp(file.at("a").bytes.data(), values, 8) == 0);
    CHECK(file.contains("b"));
    CHECK_FALSE(file.contains("__metadata__"));
    CHECK_THROWS_WITH(file.at("c"), ContainsSubstring("expected a tensor \"c\""));
}

TEST_CASE("a safetensors file cut at any byte is refused", "[safetensors]") {
    const TemporaryFolder folder;
    const auto whole = with_length(kTwo, std::string(11, 'x'));
    for (std::size_t n = 0; n < whole.size(); ++n) {
        const auto path = folder.write("m.safetensors", whole.substr(0, n));
        CHECK_THROWS_AS(Safetensors::open(path), FormatError);
    }
    CHECK_NOTHROW(Safetensors::open(folder.write("m.safetensors", whole)));
}

TEST_CASE("hostile safetensors headers are refused by name", "[safetensors]") {
    check_refused(std::string(8, '\xff'), "expected a header of at most");  // 2^64 - 1 bytes long
    check_refused(std::string("\0\0\0\0\0\0\0\x80{}", 10), "expected a header of at most");
    check_refused(with_length("[]", ""), "expected a header that begins with {");
    check_refused(with_length("", ""), "expected a header that begins with {");
    check_refused(with_length(" {}", ""), "expected a header that begins with {");
    check_refused(with_length("\xef\xbb\xbf{}", ""), "expected a header that begins with {");
    check_refused(with_length("{", ""), "expected JSON");
    check_refused(with_length("{\"\xff\":1}", ""), "expected JSON");
    check_refused(with_length("{\"a\":" + std::string(100'000, '['), ""), "3 levels");
    check_refused(with_length(R"({"__metadata__":{"format":1}})", ""), "__metadata__.format");
    check_refused(with_length(R"({"__metadata__":[]})", ""), "__metadata__");
    check_refused(with_length(R"({"__metadata__":{},"__metadata__":{}})", ""), "twice");
    check_refused(with_length(R"({"a":1})", ""), "a: expected an object");
    check_refused(with_length(one(R"("dtype":"F33","shape":[1],"data_offsets":[0,4])"), "xxxx"),
                  "a.dtype");
    check_refused(with_length(one(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"), "xxxx"),
                  "a.shape[0]");
    check_refused(with_length(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), "xxxx"),
                  "8 bytes for this dtype and shape");
    check_refused(with_length(one(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"), "xxxx"),
                  "offsets within the 4 bytes");
    check_refused(with_length(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4,8])"), "xxxx"),
                  "two offsets");
    check_refused(with_length(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), "xxxxx"),
                  "expected 4 bytes of tensor data, got 5");
    // A shape whose product wraps around to 4 bytes in 64 bits.
    check_refused(
        with_length(one(R"("dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4])"),
                    "xxxx"),
        "fits in 64 bits");
    check_refused(
        with_length(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615])"),
                    "xxxx"),
        "a.data_offsets[1]");
}

TEST_CASE("a header that says something twice is refused", "[safetensors]") {
    const std::string tensor = R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
    check_refused(with_length("{" + tensor + "," + tensor + "}", "x"), "a: expected a name once");
    check_refused(
        with_length(one(R"("dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1])"), "x"),
        "dtype: expected a name once");
}

TEST_CASE("a header may have a hundred thousand tensors and not a million", "[safetensors]") {
    const auto tensors = [](std::size_t n) {
        std::string header = "{";
        for (std::size_t i = 0; i < n; ++i) {
            header += (i == 0 ? "\"" : ",\"") + std::to_string(i) +
                      R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
        }
        return with_length(header + "}", "");
    };
    const TemporaryFolder folder;
    CHECK(Safetensors::open(folder.write("m.safetensors", tensors(100'000))).names().size() ==
          100'000);
    check_refused(tensors(1'000'000), "1000000 values");
}

TEST_CASE("tensors without elements take no place", "[safetensors]") {
    const TemporaryFolder folder;
    const auto file = Safetensors::open(folder.write(
        "m.safetensors", with_length(R"({"a":{"dtype":"F32","shape":[9,0,8],"data_offsets":[0,0]},)"
                                     R"("b":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})",
                                     "x")));
    CHECK(file.at("a").bytes.empty());
    CHECK(file.at("b").shape.empty());
}

TEST_CASE("tensors that overlap or leave a hole are refused", "[safetensors]") {
    const auto two = [](const std::string& second) {
        return R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},)"
               R"("b":{"dtype":"I8","shape":[4],"data_offsets":)" +
               second + "}}";
    };
    check_refused(with_length(two("[2,6]"), "xxxxxx"), "neither overlap nor leave holes");
    check_refused(with_length(two("[5,9]"), "xxxxxxxxx"), "neither overlap nor leave holes");
}

TEST_CASE("shards are read together, and only from the model's own folder", "[safetensors]") {
    const TemporaryFolder folder;
    (void)folder.write("x-1.safetensors",
                       with_length(one(R"("dtype":"I8","shape":[1],"data_offsets":[0,1])"), "1"));
    (void)folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"x-1.safetensors"}})");
    CHECK(Safetensors::open_directory(folder.path()).contains("a"));
    (void)folder.write("model.safetensors.index.json",
                       R"({"weight_map":{"a":"x-1.safetensors","b":"x-1.safetensors"}})");
    CHECK_THROWS_WITH(Safetensors::open_directory(folder.path()),
                      ContainsSubstring("weight_map.b"));
    (void)folder.write("model.safetensors.index.json",
                       R"({"weight_map":{"a":"../x.safetensors"}})");
    CHECK_THROWS_WITH(Safetensors::open_directory(folder.path()),
                      ContainsSubstring("a .safetensors file in the same folder"));
    (void)folder.write("model.safetensors.index.json",
                       R"({"weight_map":{"a":"x-1.safetensors\u0000.safetensors"}})");
    CHECK_THROWS_WITH(Safetensors::open_directory(folder.path()),
                      ContainsSubstring("a .safetensors file in the same folder"));
}

TEST_CASE("a tensor must be in the shard that the index names", "[safetensors]") {
    const TemporaryFolder folder;
    const std::string description = R"({"dtype":"I8","shape":[1],"data_offsets":[0,1]})";
    (void)folder.write("1.safetensors", with_length("{\"a\":" + description + "}", "1"));
    (void)folder.write("2.safetensors", with_length("{\"b\":" + description + "}", "2"));
    const auto index = [&folder](const std::string& map) {
        (void)folder.write("model.safetensors.index.json", "{\"weight_map\":" + map + "}");
        return Safetensors::open_directory(folder.path()).names();
    };
    CHECK(index(R"({"a":"1.safetensors","b":"2.safetensors"})").size() == 2);
    CHECK_THROWS_WITH(index(R"({"a":"2.safetensors","b":"1.safetensors"})"),
                      ContainsSubstring("weight_map.b"));
    CHECK_THROWS_WITH(index(R"({"a":"3.safetensors"})"), ContainsSubstring("3.safetensors"));
    CHECK_THROWS_WITH(index(R"({"a":7})"), ContainsSubstring("weight_map.a"));
    CHECK_THROWS_WITH(index("[]"), ContainsSubstring("weight_map"));
    (void)folder.write("2.safetensors", with_length("{\"a\":" + description + "}", "2"));
    CHECK_THROWS_WITH(index(R"({"a":"1.safetensors"})").size() +
                          index(R"({"a":"2.safetensors","a2":"1.safetensors"})").size(),
                      ContainsSubstring("weight_map.a2"));
}

TEST_CASE("only regular files are opened, and never waited for", "[safetensors]") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "model.safetensors";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    CHECK_THROWS_WITH(Safetensors::open_directory(folder.path()),
                      ContainsSubstring("expected a regular file"));
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);
    CHECK_THROWS_WITH(Safetensors::open_directory(folder.path()),
                      ContainsSubstring("expected a regular file"));
    std::filesystem::remove(path);
    std::filesystem::create_symlink("model.safetensors", path);
    CHECK_THROWS_AS(Safetensors::open_directory(folder.path()), FormatError);
}

TEST_CASE("a directory without weights says what was expected", "[safetensors]") {
    const TemporaryFolder folder;
    CHECK_THROWS_WITH(Safetensors::open_directory(folder.path()),
                      ContainsSubstring("expected model.safetensors"));
    (void)folder.write("pytorch_model.bin", "pickle");
    CHECK_THROWS_WITH(Safetensors::open_directory(folder.path()), ContainsSubstring("convert it"));
}
