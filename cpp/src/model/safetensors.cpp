#include "unitvec/model/safetensors.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "file.hpp"
#include "json.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kHeaderLimit = 100'000'000;  // the format's own limit
constexpr std::size_t kLengthBytes = 8;

// {"name": {"shape": [1]}}: three levels; a hundred thousand tensors.
constexpr JsonLimits kHeaderLimits{.depth = 3, .values = 1'000'000, .unique_names = true};

using Tensors = std::map<std::string, TensorView, std::less<>>;

std::optional<std::size_t> bytes_per_element(std::string_view dtype) {
    static constexpr std::array<std::pair<std::string_view, std::size_t>, 14> kSizes{{
        {"BOOL", 1},
        {"U8", 1},
        {"I8", 1},
        {"F8_E4M3", 1},
        {"F8_E5M2", 1},
        {"U16", 2},
        {"I16", 2},
        {"F16", 2},
        {"BF16", 2},
        {"U32", 4},
        {"I32", 4},
        {"F32", 4},
        {"F64", 8},
        {"I64", 8},
    }};
    if (dtype == "U64") return 8;
    const auto* found = std::ranges::find(kSizes, dtype, [](const auto& e) { return e.first; });
    if (found == kSizes.end()) return std::nullopt;
    return found->second;
}

std::size_t header_length(std::span<const std::byte> bytes, const std::string& file) {
    if (bytes.size() < kLengthBytes) {
        throw FormatError(file, "byte 0",
                          "expected 8 bytes with the header's length, got a file of " +
                              std::to_string(bytes.size()));
    }
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i) {
        length |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    }
    const std::size_t most = std::min(kHeaderLimit, bytes.size() - kLengthBytes);
    if (length > most) {
        throw FormatError(file, "byte 0",
                          "expected a header of at most " + std::to_string(most) +
                              " bytes, got a length of " + std::to_string(length));
    }
    return static_cast<std::size_t>(length);
}

/// Product of the shape and the element size. @throws FormatError if it does not fit in 64 bits
std::size_t byte_count(const JsonField& tensor, const std::vector<std::size_t>& shape,
                       std::size_t element) {
    std::size_t count = element;
    for (const std::size_t n : shape) {
        if (__builtin_mul_overflow(count, n, &count)) {
            tensor.at("shape").fail("a shape whose size fits in 64 bits");
        }
    }
    return count;
}

struct Extent {
    std::size_t begin, end;
    std::string name;
};

/// One entry of the header -> a view into `data`. @throws FormatError for anything not allowed
TensorView read_tensor(const JsonField& tensor, std::span<const std::byte> data, Extent& extent) {
    TensorView view;
    view.dtype = tensor.at("dtype").string();
    const auto element = bytes_per_element(view.dtype);
    if (!element) tensor.at("dtype").fail("a safetensors dtype such as \"F32\"");
    for (const auto& n : tensor.at("shape").items()) {
        view.shape.push_back(static_cast<std::size_t>(n.integer(0)));
    }
    const auto offsets = tensor.at("data_offsets").items();
    if (offsets.size() != 2) tensor.at("data_offsets").fail("two offsets");
    extent.begin = static_cast<std::size_t>(offsets[0].integer(0));
    extent.end = static_cast<std::size_t>(offsets[1].integer(0));
    if (extent.begin > extent.end || extent.end > data.size()) {
        tensor.at("data_offsets")
            .fail("offsets within the " + std::to_string(data.size()) + " bytes of data");
    }
    const std::size_t expected = byte_count(tensor, view.shape, *element);
    if (extent.end - extent.begin != expected) {
        tensor.at("data_offsets")
            .fail(std::to_string(expected) + " bytes for this dtype and shape");
    }
    view.bytes = data.subspan(extent.begin, expected);
    return view;
}

/// The tensors must lie end to end: no byte twice, none unused (which could hide other content).
void require_contiguous(std::vector<Extent> extents, std::size_t size, const std::string& file) {
    std::ranges::sort(extents, {}, [](const Extent& e) { return std::pair(e.begin, e.end); });
    std::size_t expected = 0;
    for (const auto& extent : extents) {
        if (extent.begin != expected) {
            throw FormatError(file, extent.name,
                              "expected data that starts at offset " + std::to_string(expected) +
                                  ", got " + std::to_string(extent.begin) +
                                  " (tensors must neither overlap nor leave holes)");
        }
        expected = extent.end;
    }
    if (expected != size) {
        throw FormatError(file, "",
                          "expected " + std::to_string(expected) + " bytes of tensor data, got " +
                              std::to_string(size));
    }
}

/// What a file says about itself: an object of texts.
void require_texts(const JsonField& metadata) {
    if (!metadata.value().is_object()) metadata.fail("an object");
    for (const auto& [name, value] : metadata.value().items()) {
        if (!value.is_string()) metadata.at(name).fail("a string");
    }
}

Tensors read_tensors(const MappedFile& mapped, const std::string& file) {
    const auto bytes = mapped.bytes();
    const std::size_t length = header_length(bytes, file);
    const auto* text = reinterpret_cast<const char*>(bytes.data()) + kLengthBytes;
    if (length == 0 || *text != '{') {
        throw FormatError(file, "byte 8", "expected a header that begins with {, got another");
    }
    const auto header = JsonField::parse({text, length}, file, kHeaderLimits);
    const auto data = bytes.subspan(kLengthBytes + length);
    Tensors tensors;
    std::vector<Extent> extents;
    for (const auto& [name, unused] : header.value().items()) {
        if (name == "__metadata__") {
            require_texts(header.at(name));
            continue;
        }
        Extent extent{0, 0, name};
        tensors.emplace(name, read_tensor(header.at(name), data, extent));
        extents.push_back(std::move(extent));
    }
    require_contiguous(std::move(extents), data.size(), file);
    return tensors;
}

/// The name of a file beside the index: one with a folder in it could lead outside the model, and
/// the system would take a name to end at a zero byte.
const std::string& read_shard_name(const JsonField& field) {
    const auto& name = field.string();
    const bool plain = std::ranges::none_of(
        name, [](char c) { return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
    if (!plain || !name.ends_with(".safetensors")) {
        field.fail("the name of a .safetensors file in the same folder");
    }
    return name;
}

/// Tensors that an index file names, and where it does.
using Entries = std::vector<std::pair<std::string, JsonField>>;

/// The entries of an index file, tensor -> shard, by shard.
std::map<std::string, Entries> entries_by_shard(const JsonField& weight_map) {
    if (!weight_map.value().is_object()) weight_map.fail("an object");
    std::map<std::string, Entries> shards;
    for (const auto& [tensor, unused] : weight_map.value().items()) {
        const auto entry = weight_map.at(tensor);
        shards[read_shard_name(entry)].emplace_back(tensor, entry);
    }
    return shards;
}

}  // namespace

struct Safetensors::Data {
    std::string source;
    std::vector<MappedFile> files;
    Tensors tensors;

    /// @param expected  the entries of an index that name this file
    void add(const std::filesystem::path& file, const Entries& expected) {
        files.emplace_back(file);
        auto found = read_tensors(files.back(), file.string());
        for (const auto& [tensor, entry] : expected) {
            if (!found.contains(tensor)) entry.fail("a shard that holds the tensor " + tensor);
        }
        tensors.merge(found);
        if (!found.empty()) {  // what merge() could not take over
            throw FormatError(file.string(), found.begin()->first,
                              "expected each tensor in one shard, got it in two");
        }
    }
};

Safetensors::Safetensors(std::unique_ptr<Data> data) : data_(std::move(data)) {}
Safetensors::Safetensors(Safetensors&&) noexcept = default;
Safetensors::~Safetensors() = default;

Safetensors Safetensors::open(const std::filesystem::path& file) {
    auto data = std::make_unique<Data>();
    data->source = file.string();
    data->add(file, {});
    return Safetensors(std::move(data));
}

Safetensors Safetensors::open_directory(const std::filesystem::path& directory) {
    const auto single = directory / "model.safetensors";
    if (is_present(single)) return open(single);
    const auto index_path = directory / "model.safetensors.index.json";
    if (!is_present(index_path)) {
        const bool pickle = is_present(directory / "pytorch_model.bin");
        throw FormatError(
            directory.string(), "",
            "expected model.safetensors or model.safetensors.index.json, got neither" +
                std::string(pickle
                                ? "; pytorch_model.bin is a pickle, which can run code and is not "
                                  "read: convert it with transformers' "
                                  "save_pretrained(folder, safe_serialization=True)"
                                : ""));
    }
    auto data = std::make_unique<Data>();
    data->source = directory.string();
    const auto index = JsonField::parse_file(index_path);
    for (const auto& [name, entries] : entries_by_shard(index.at("weight_map"))) {
        data->add(directory / name, entries);
    }
    return Safetensors(std::move(data));
}

const std::string& Safetensors::source() const {
    return data_->source;
}

std::vector<std::string> Safetensors::names() const {
    std::vector<std::string> names;
    for (const auto& [name, unused] : data_->tensors) names.push_back(name);
    return names;
}

bool Safetensors::contains(std::string_view name) const {
    return data_->tensors.contains(name);
}

const TensorView& Safetensors::at(std::string_view name) const {
    const auto found = data_->tensors.find(name);
    if (found == data_->tensors.end()) {
        throw FormatError(data_->source, "",
                          "expected a tensor \"" + std::string(name) + "\", got none");
    }
    return found->second;
}

}  // namespace unitvec
