#pragma once
/// Whole files in memory, and files mapped read-only.
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace unitvec {

/// Bytes of the largest text file that is read: several times the largest vocabulary there is.
constexpr std::size_t kTextFileLimit = std::size_t{1} << 27;

/// Whether something has that name, even if it cannot be read: what opens it then says why.
[[nodiscard]] bool is_present(const std::filesystem::path& path);

/// The bytes of a file.
/// @throws FormatError if it cannot be read, is not a regular file or is larger than `limit` bytes
[[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                    std::size_t limit = kTextFileLimit);

/// A file mapped read-only into memory; unmapped when the last owner goes.
/// The file must not be truncated while it is mapped (the process would receive SIGBUS).
class MappedFile {
public:
    /// @throws FormatError if it cannot be opened or mapped, or is not a regular file
    explicit MappedFile(const std::filesystem::path& path);
    ~MappedFile();
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&&) = delete;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }

private:
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace unitvec
