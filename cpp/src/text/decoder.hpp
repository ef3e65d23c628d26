#pragma once
/// From tokens back to text.
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace unitvec {

/// How the pieces of a model are joined.
struct Decoder {
    enum class Kind {
        words,       ///< a space between two tokens
        wordpiece,   ///< a space between two tokens, none before one that begins with `prefix`
        byte_level,  ///< the bytes that the tokens' characters stand for
    };
    Kind kind = Kind::words;
    std::string prefix = "##";
    bool clean_up = true;

    /// @param clean_up  instead of the decoder's own setting
    [[nodiscard]] std::string decode(std::span<const std::string_view> tokens,
                                     std::optional<bool> clean_up) const;
};

}  // namespace unitvec
