#pragma once
/// Addresses, hashtags, mentions and emoticons: tokens with marks that would end a word elsewhere.
/// Each function gets where a token may start and returns where it ends, or null.
namespace unitvec {

/// "https://...", "www...."; what ends a sentence or closes a bracket is not part of it.
[[nodiscard]] const char* url_end(const char* p, const char* end);

/// The rest of a URL without a scheme: `p` is behind a word such as "example.com".
[[nodiscard]] const char* url_path_end(const char* word, const char* p, const char* end);

/// "ann.lee+x@mail.example.com"; `at` is the next @ of the text or null.
[[nodiscard]] const char* email_end(const char* p, const char* at, const char* end);

/// "#" or "@" and a name; `p` is at the mark.
[[nodiscard]] const char* hashtag_end(const char* p, const char* end);
[[nodiscard]] const char* mention_end(const char* p, const char* end);

/// One of a short list, with white space or the text's end behind it.
[[nodiscard]] const char* emoticon_end(const char* p, const char* end);

}  // namespace unitvec
