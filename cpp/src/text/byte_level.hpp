#pragma once
/// What byte-level BPE does before any merge: a printable character for every byte, and the split
/// of text into words (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019,
/// section 2.2, and the encoder published with it).
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace unitvec::byte_level {

/// The character that stands for a byte in tokens: printable Latin-1 as it is, the other 68 bytes
/// from U+0100 on. A space is U+0120.
[[nodiscard]] char32_t character_of(unsigned char byte);

/// Bytes as a token spells them (UTF-8).
[[nodiscard]] std::string spelled(std::string_view bytes);

/// The bytes that a token stands for; nothing if one of its characters stands for no byte.
[[nodiscard]] std::optional<std::string> bytes_of(std::string_view token);

/// Length in bytes of the first word of `text`, UTF-8 and not empty. Words are, in this order: an
/// English contraction after its apostrophe; letters, digits or other characters, each with one
/// space before them if there is one; white space but its last character where a word follows;
/// white space.
[[nodiscard]] std::size_t first_word(std::string_view text);

}  // namespace unitvec::byte_level
