#pragma once
/// Takes the space that byte-level tokens begin with out of their offsets.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "subword_model.hpp"
#include "unitvec/text/encoding.hpp"
#include "unitvec/text/vocabulary.hpp"

namespace unitvec {

/// What a post-processor says about offsets.
struct OffsetTrimming {
    bool is_on = false;
    bool add_prefix_space = false;  ///< the first token's first space is not in the text
};

/// Characters of white space at both ends of a text.
struct Spaces {
    std::uint32_t leading = 0, trailing = 0;
};

template <typename IsSpace>
[[nodiscard]] Spaces spaces_around(std::u32string_view text, IsSpace is_space) {
    const auto count = [is_space](auto first, auto last) {
        return static_cast<std::uint32_t>(std::find_if_not(first, last, is_space) - first);
    };
    return {count(text.begin(), text.end()), count(text.rbegin(), text.rend())};
}

/// Immutable.
class OffsetTrimmer {
public:
    OffsetTrimmer(const Vocabulary& tokens, OffsetTrimming trimming);

    /// @param pieces   one window of one text
    /// @param offsets  theirs
    void trim(std::span<const Piece> pieces, std::span<Offset> offsets) const;

private:
    [[nodiscard]] Spaces spaces_of(const Piece& piece) const;

    OffsetTrimming settings_;
    std::vector<Spaces> spaces_;  ///< by id
};

}  // namespace unitvec
