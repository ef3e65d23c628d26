#pragma once
/// Byte-level BPE's alphabet: every byte as a printable character (Radford et al., "Language Models
/// are Unsupervised Multitask Learners", 2019, section 2.2, and the code published with it).
#include <span>
#include <string>
#include <string_view>

namespace unitvec {

/// The character that stands for a byte: printable Latin-1 for itself, the others from U+0100 on.
[[nodiscard]] char32_t character_of_byte(unsigned char byte);

/// The bytes that the characters of the tokens stand for, as UTF-8 text: what is not UTF-8 becomes
/// U+FFFD. A token with a character that stands for no byte is taken as it is.
[[nodiscard]] std::string bytes_of_tokens(std::span<const std::string_view> tokens);

}  // namespace unitvec
