#include "file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "unitvec/error.hpp"

namespace unitvec {
namespace {

[[noreturn]] void throw_unreadable(const std::filesystem::path& path, int error) {
    throw FormatError(
        path.string(), "",
        "expected a readable file, got \"" + std::string(std::strerror(error)) + "\"");
}

/// A regular file, open for reading.
class OpenFile {
public:
    // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
    explicit OpenFile(const std::filesystem::path& path)
        : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
        if (fd_ < 0) throw_unreadable(path, errno);
        struct stat status{};
        const int error = ::fstat(fd_, &status) == 0 ? 0 : errno;
        if (error == 0 && S_ISREG(status.st_mode)) {
            size_ = static_cast<std::size_t>(status.st_size);
            return;
        }
        ::close(fd_);
        if (error != 0) throw_unreadable(path, error);
        throw FormatError(path.string(), "",
                          "expected a regular file, got a folder, pipe or device");
    }
    ~OpenFile() { ::close(fd_); }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    [[nodiscard]] int descriptor() const { return fd_; }
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    int fd_;
    std::size_t size_ = 0;
};

}  // namespace

bool is_present(const std::filesystem::path& path) {
    std::error_code error;
    return std::filesystem::exists(path, error) || error;
}

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
    const OpenFile file(path);
    if (file.size() > limit) {
        throw FormatError(path.string(), "",
                          "expected at most " + std::to_string(limit) + " bytes, got " +
                              std::to_string(file.size()));
    }
    std::string bytes(file.size(), '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto n = ::read(file.descriptor(), bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw_unreadable(path, errno);
        if (n == 0) break;  // cut short while it was read
        done += static_cast<std::size_t>(n);
    }
    bytes.resize(done);
    return bytes;
}

MappedFile::MappedFile(const std::filesystem::path& path) {
    const OpenFile file(path);
    size_ = file.size();
    if (size_ == 0) return;  // mmap refuses a length of 0
    void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
    if (address == MAP_FAILED) throw_unreadable(path, errno);
    data_ = static_cast<const std::byte*>(address);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile::~MappedFile() {
    if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace unitvec
