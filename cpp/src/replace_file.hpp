#pragma once
/// Writing a whole file so that a crash leaves the old one or the new one, never a part.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace unitvec {

/// Writes into a temporary file beside `path`; commit() makes it `path`. Without a commit the
/// temporary file is removed. Every failure throws std::system_error with the path.
class ReplaceFile {
public:
    explicit ReplaceFile(std::filesystem::path path);
    ~ReplaceFile();
    ReplaceFile(const ReplaceFile&) = delete;
    ReplaceFile& operator=(const ReplaceFile&) = delete;

    void write(std::span<const std::byte> bytes);
    /// Overwrites bytes written before, at `offset`.
    void write_at(std::uint64_t offset, std::span<const std::byte> bytes);

    /// Flushes the file to the disk, renames it to `path` and flushes the folder.
    void commit();

private:
    [[noreturn]] void fail(const char* what) const;

    std::filesystem::path path_;
    std::filesystem::path temporary_;
    int fd_ = -1;
};

}  // namespace unitvec
