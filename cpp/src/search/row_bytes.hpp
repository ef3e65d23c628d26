#pragma once
/// The bytes of stored rows: in memory, or in a file that is mapped.
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "file.hpp"
#include "unitvec/types.hpp"

namespace unitvec {

/// A growing array of bytes on 64-byte boundaries. It can lie in a mapped file instead, which keeps
/// the file mapped; the first change copies it into memory.
class RowBytes {
public:
    RowBytes() = default;
    RowBytes(RowBytes&& other) noexcept
        : owned_(std::move(other.owned_)), file_(std::move(other.file_)),
          view_(std::exchange(other.view_, {})) {}
    RowBytes& operator=(RowBytes&&) = delete;

    [[nodiscard]] std::span<const std::byte> view() const { return view_; }
    [[nodiscard]] const std::byte* data() const { return view_.data(); }
    /// Bytes of memory, and bytes of a file.
    [[nodiscard]] std::size_t owned() const { return owned_.capacity(); }
    [[nodiscard]] std::size_t mapped() const { return file_ ? view_.size() : 0; }

    /// @param bytes  of `file`
    void map(std::shared_ptr<const MappedFile> file, std::span<const std::byte> bytes) {
        owned_ = {};
        file_ = std::move(file);
        view_ = bytes;
    }

    /// Calls change(AlignedVector<std::byte>&).
    template <typename Change>
    void change(const Change& change) {
        if (file_) {
            owned_.assign(view_.begin(), view_.end());
            view_ = owned_;  // before the change, which may fail for want of memory
            file_.reset();
        }
        change(owned_);
        view_ = owned_;
    }

private:
    AlignedVector<std::byte> owned_;
    std::shared_ptr<const MappedFile> file_;
    std::span<const std::byte> view_;
};

}  // namespace unitvec
