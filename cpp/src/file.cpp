#include "file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "unitvec/error.hpp"

namespace unitvec {
namespace {

[[noreturn]] void throw_unreadable(const std::filesystem::path& path, int error) {
    throw FormatError(
        path.string(), "",
        "expected a readable file, got \"" + std::string(std::strerror(error)) + "\"");
}

/// A file descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(const std::filesystem::path& path)
        : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (fd_ < 0) throw_unreadable(path, errno);
    }
    ~Descriptor() { ::close(fd_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

}  // namespace

std::string read_file(const std::filesystem::path& path, std::uintmax_t limit) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) throw_unreadable(path, error.value());
    if (size > limit) {
        throw FormatError(
            path.string(), "",
            "expected at most " + std::to_string(limit) + " bytes, got " + std::to_string(size));
    }
    std::ifstream stream(path, std::ios::binary);
    std::string bytes(size, '\0');
    if (!stream.read(bytes.data(), static_cast<std::streamsize>(size))) {
        throw_unreadable(path, errno);
    }
    return bytes;
}

MappedFile::MappedFile(const std::filesystem::path& path) {
    const Descriptor fd(path);
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) throw_unreadable(path, errno);
    if (!S_ISREG(status.st_mode)) throw_unreadable(path, EINVAL);
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ == 0) return;  // mmap refuses a length of 0
    void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (address == MAP_FAILED) throw_unreadable(path, errno);
    data_ = static_cast<const std::byte*>(address);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile::~MappedFile() {
    if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace unitvec
