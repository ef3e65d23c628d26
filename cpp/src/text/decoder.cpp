#include "decoder.hpp"

#include <utility>

#include "byte_level.hpp"
#include "unitvec/text/unicode.hpp"

namespace unitvec {
namespace {

/// What English typography writes without the space: punctuation and contractions.
constexpr std::pair<std::string_view, std::string_view> kCleanUp[] = {
    {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
    {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
    {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

std::string cleaned(std::string text) {
    for (const auto& [from, to] : kCleanUp) replace_all(text, from, to);
    return text;
}

std::string join_wordpieces(std::span<const std::string_view> tokens, const Decoder& decoder,
                            bool clean_up) {
    std::string text;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        std::string token(tokens[i]);
        if (i > 0 && tokens[i].starts_with(decoder.prefix)) {
            token.erase(0, decoder.prefix.size());
        } else if (i > 0) {
            token.insert(0, 1, ' ');
        }
        text += clean_up ? cleaned(std::move(token)) : token;
    }
    return text;
}

std::string join_words(std::span<const std::string_view> tokens) {
    std::string text;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (i > 0) text += ' ';
        text += tokens[i];
    }
    return text;
}

/// A token with a character that stands for no byte is text of its own. What is not UTF-8 in the
/// end (a token cut off inside a character) reads as U+FFFD.
std::string join_bytes(std::span<const std::string_view> tokens) {
    std::string bytes;
    for (const auto token : tokens) {
        bytes += byte_level::bytes_of(token).value_or(std::string(token));
    }
    return unicode::encode(unicode::decode(bytes));
}

}  // namespace

std::string Decoder::decode(std::span<const std::string_view> tokens,
                            std::optional<bool> clean_up_instead) const {
    const bool clean = clean_up_instead.value_or(clean_up);
    switch (kind) {
        case Kind::words: return join_words(tokens);
        case Kind::wordpiece: return join_wordpieces(tokens, *this, clean);
        case Kind::byte_level: return clean ? cleaned(join_bytes(tokens)) : join_bytes(tokens);
    }
    return {};
}

}  // namespace unitvec
