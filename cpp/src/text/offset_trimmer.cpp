#include "offset_trimmer.hpp"

#include <algorithm>

#include "byte_level.hpp"
#include "unitvec/text/unicode.hpp"

namespace unitvec {
namespace {

/// A space's stand-in, or white space itself, which added tokens may have.
bool is_space_of_token(char32_t code) {
    return code == byte_level::character_of(' ') || unicode::is_whitespace(code);
}

}  // namespace

OffsetTrimmer::OffsetTrimmer(const Vocabulary& tokens, OffsetTrimming trimming)
    : settings_(trimming) {
    if (!settings_.is_on) return;
    spaces_.resize(tokens.size());
    for (std::size_t id = 0; id < tokens.size(); ++id) {
        const auto token = unicode::decode(tokens.token(static_cast<std::int32_t>(id)));
        spaces_[id] = spaces_around(token, is_space_of_token);
    }
}

Spaces OffsetTrimmer::spaces_of(const Piece& piece) const {
    if (piece.leading == Piece::kAsSpelled) return spaces_[static_cast<std::size_t>(piece.id)];
    return {static_cast<std::uint32_t>(piece.leading), static_cast<std::uint32_t>(piece.trailing)};
}

void OffsetTrimmer::trim(std::span<const Piece> pieces, std::span<Offset> offsets) const {
    if (!settings_.is_on) return;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        auto [leading, trailing] = spaces_of(pieces[i]);
        auto& [begin, end] = offsets[i];
        const bool is_first = i == 0 || begin == 0;
        if (leading == 1 && is_first && settings_.add_prefix_space) leading = 0;
        begin = std::min(begin + leading, end);
        if (end >= trailing) end = std::max(end - trailing, begin);
    }
}

}  // namespace unitvec
