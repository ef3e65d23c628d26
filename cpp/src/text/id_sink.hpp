#pragma once
/// Takes the ids of a text of any length, and holds little more of them than is wanted.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "unitvec/text/encoding.hpp"

namespace unitvec {

/// Cuts ids, of which those from `begin` on are a text's, so that `kept` of the text's remain.
inline void cut_ids(std::size_t begin, std::size_t kept, TruncationSide side,
                    std::vector<std::int32_t>& ids) {
    if (side == TruncationSide::left) {
        const auto first = ids.begin() + static_cast<std::ptrdiff_t>(begin);
        ids.erase(first, ids.end() - static_cast<std::ptrdiff_t>(kept));
    } else {
        ids.resize(begin + kept);
    }
}

class IdSink {
public:
    /// @param ids     where they are appended
    /// @param wanted  how many of them are needed, the first or the last
    /// @param side    where the others are cut off
    IdSink(std::vector<std::int32_t>& ids, std::size_t wanted, TruncationSide side)
        : ids_(ids), begin_(ids.size()), wanted_(wanted), side_(side),
          limit_(wanted < SIZE_MAX - kSpare - begin_ ? begin_ + wanted + kSpare : SIZE_MAX) {}

    void push_back(std::int32_t id) {
        ids_.push_back(id);
        settle();
    }
    /// Calls append(ids), which adds some at the end.
    template <typename Append>
    void extend(const Append& append) {
        append(ids_);
        settle();
    }

    /// Leaves the wanted ids. @return how many came in all
    std::size_t finish() {
        cut();
        return cut_ + (ids_.size() - begin_);
    }

private:
    static constexpr std::size_t kSpare = 1 << 16;  // ids: cutting some thousand costs nothing

    void settle() {
        if (ids_.size() >= limit_) cut();
    }
    void cut() {
        const std::size_t there = ids_.size() - begin_;
        if (there <= wanted_) return;
        cut_ += there - wanted_;
        cut_ids(begin_, wanted_, side_, ids_);
    }

    std::vector<std::int32_t>& ids_;
    std::size_t begin_, wanted_;
    TruncationSide side_;
    std::size_t limit_;
    std::size_t cut_ = 0;
};

}  // namespace unitvec
