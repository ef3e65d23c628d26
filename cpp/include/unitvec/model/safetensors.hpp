#pragma once
/// Reads safetensors files: a length, a JSON header, raw tensors. Nothing in such a file is
/// executed.
///
///   bytes 0-7          N, unsigned little-endian: length of the header
///   bytes 8 .. 8+N-1   JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
///   ...} the rest           the tensors, row-major, little-endian, without holes or overlaps
///
/// Source: https://huggingface.co/docs/safetensors (format description).
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unitvec {

/// One tensor of a file; the bytes belong to the file.
struct TensorView {
    std::string dtype;               ///< "F32", "F16", "BF16", "I64", ... as in the header
    std::vector<std::size_t> shape;  ///< row-major
    std::span<const std::byte> bytes;
};

/// One or more mapped safetensors files seen as one set of named tensors. Move-only.
class Safetensors {
public:
    /// Maps a file and checks its whole header before anything is used: the header's length (at
    /// most 100 MB and the file's), that no name is there twice, every dtype, shape, size and
    /// offset, that the tensors fill the rest of the file exactly, without overlaps.
    /// @throws FormatError naming the file and the byte or tensor
    static Safetensors open(const std::filesystem::path& file);

    /// `model.safetensors` of a model directory, or the shards that
    /// `model.safetensors.index.json` lists (file names only, no paths).
    /// @throws FormatError if neither is there or a shard lacks a tensor that the index says it
    /// holds
    static Safetensors open_directory(const std::filesystem::path& directory);

    Safetensors(Safetensors&&) noexcept;
    ~Safetensors();

    /// Where the tensors come from, for messages: a file or a directory.
    [[nodiscard]] const std::string& source() const;
    [[nodiscard]] std::vector<std::string> names() const;
    [[nodiscard]] bool contains(std::string_view name) const;
    /// @throws FormatError if there is no such tensor
    [[nodiscard]] const TensorView& at(std::string_view name) const;

private:
    struct Data;
    explicit Safetensors(std::unique_ptr<Data> data);
    std::unique_ptr<Data> data_;
};

}  // namespace unitvec
