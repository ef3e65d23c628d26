#include "added_tokens.hpp"

#include <algorithm>
#include <cstring>

#include "unitvec/text/unicode.hpp"

namespace unitvec {
namespace {

/// The code point that ends at the end of a text that is not empty.
unicode::Decoded last_code_point(std::string_view text) {
    const char* const end = text.data() + text.size();
    const char* p = end - 1;
    while (p > text.data() && end - p < 4 && (static_cast<unsigned char>(*p) & 0xC0) == 0x80) --p;
    const auto decoded = unicode::decode_utf8(p, end);
    if (p + decoded.length == end) return decoded;
    return {unicode::kReplacement, 1};
}

std::size_t spaces_at_start(std::string_view text) {
    std::size_t n = 0;
    while (n < text.size()) {
        const auto c = unicode::decode_utf8(text.data() + n, text.data() + text.size());
        if (!unicode::is_whitespace(c.code)) break;
        n += c.length;
    }
    return n;
}

std::size_t spaces_at_end(std::string_view text) {
    std::size_t n = 0;
    while (n < text.size()) {
        const auto c = last_code_point(text.substr(0, text.size() - n));
        if (!unicode::is_whitespace(c.code)) break;
        n += c.length;
    }
    return n;
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens,
                                   std::vector<std::string> patterns)
    : tokens_(std::move(tokens)), patterns_(std::move(patterns)) {
    std::vector<Trie::Entry> entries;
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
        const auto& pattern = patterns_[i];
        if (pattern.empty()) continue;
        entries.push_back({pattern, static_cast<std::int32_t>(i)});
        const auto first = static_cast<unsigned char>(pattern.front());
        if (!is_first_byte_[first]) first_bytes_.push_back(pattern.front());
        is_first_byte_[first] = true;
    }
    // Two tokens may look the same after normalisation: the one with the smaller id is found.
    std::ranges::stable_sort(entries, {}, &Trie::Entry::key);
    const auto same = std::ranges::unique(entries, {}, &Trie::Entry::key);
    entries.erase(same.begin(), same.end());
    trie_ = Trie(std::move(entries));
}

std::size_t AddedTokenFinder::candidate(std::string_view text, std::size_t from) const {
    if (first_bytes_.size() == 1) return text.find(first_bytes_.front(), from);
    while (from < text.size() && !is_first_byte_[static_cast<unsigned char>(text[from])]) ++from;
    return from < text.size() ? from : std::string_view::npos;
}

bool AddedTokenFinder::stands_alone(std::string_view text, std::size_t begin,
                                    std::size_t end) const {
    if (begin > 0 && unicode::is_word(last_code_point(text.substr(0, begin)).code)) return false;
    const char* const after = text.data() + end;
    return end == text.size() ||
           !unicode::is_word(unicode::decode_utf8(after, text.data() + text.size()).code);
}

std::optional<AddedTokenFinder::Match> AddedTokenFinder::Search::next() {
    if (finder_.first_bytes_.empty()) return std::nullopt;
    for (;;) {
        const auto begin = finder_.candidate(text_, at_);
        if (begin == std::string_view::npos) return std::nullopt;
        const auto found = finder_.trie_.longest_prefix(Trie::kRoot, text_.substr(begin));
        at_ = begin + std::max<std::size_t>(found.length, 1);
        if (found.length == 0) continue;
        const auto& token = finder_.tokens_[static_cast<std::size_t>(found.value)];
        if (token.single_word && !finder_.stands_alone(text_, begin, at_)) continue;
        Match match{begin, at_, token.id};
        if (token.lstrip) {
            match.begin = std::max(begin - spaces_at_end(text_.substr(0, begin)), done_);
        }
        if (token.rstrip) match.end += spaces_at_start(text_.substr(at_));
        if (match.begin >= match.end) continue;  // the token before has taken it as white space
        done_ = match.end;
        return match;
    }
}

}  // namespace unitvec
