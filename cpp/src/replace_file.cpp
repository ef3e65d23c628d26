#include "replace_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>

namespace unitvec {
namespace {

// Linux writes at most 2^31 - 4096 bytes a call.
constexpr std::size_t kLargestWrite = std::size_t{1} << 30;
constexpr mode_t kMode = 0666;  // less the process's umask, as other programs' files

/// A name of our own in the same folder: rename does not cross file systems, and two writers of one
/// path must not share a temporary file.
std::filesystem::path temporary_beside(const std::filesystem::path& path) {
    static std::atomic<unsigned> counter = 0;
    auto name = path;
    name += ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    return name;
}

}  // namespace

ReplaceFile::ReplaceFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_(temporary_beside(path_)) {
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
    if (fd_ < 0) fail("cannot create");
}

ReplaceFile::~ReplaceFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(temporary_.c_str());
}

void ReplaceFile::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(fd_, bytes.data(), std::min(bytes.size(), kLargestWrite));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("cannot write");
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void ReplaceFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto written = ::pwrite(fd_, bytes.data(), std::min(bytes.size(), kLargestWrite),
                                      static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("cannot write");
        offset += static_cast<std::uint64_t>(written);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void ReplaceFile::commit() {
    if (::fsync(fd_) != 0) fail("cannot flush");
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot rename");
    // A full disk or quota may be reported only here on network file systems.
    const int closed = ::close(fd_);
    fd_ = -1;
    if (closed != 0) fail("cannot close");
    const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
    const int folder_fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0) fail("cannot open the folder of");
    const int flushed = ::fsync(folder_fd);
    const int error = errno;
    ::close(folder_fd);
    // EINVAL: a file system without flushing of folders.
    if (flushed != 0 && error != EINVAL) {
        errno = error;
        fail("cannot flush the folder of");
    }
}

void ReplaceFile::fail(const char* what) const {
    const int error = errno;  // before the text is composed, which may allocate
    throw std::system_error(error, std::generic_category(),
                            std::string(what) + " " + path_.string());
}

}  // namespace unitvec
