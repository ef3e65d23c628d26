#include "web_words.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "word_reader.hpp"

namespace unitvec {
namespace {

constexpr std::ptrdiff_t kSchemeMax = 16;     // bytes; the longest in use have about ten
constexpr std::ptrdiff_t kEmailNameMax = 64;  // bytes, RFC 5321, section 4.5.3.1.1

bool is_ascii_name(char c) {
    return is_ascii_letter(c) || is_ascii_digit(c);
}

bool starts_with_www(const char* p, const char* end) {
    const std::string_view text(p, static_cast<std::size_t>(end - p));
    constexpr std::string_view www = "www.";
    return text.size() > www.size() &&
           std::equal(www.begin(), www.end(), text.begin(),
                      [](char a, char b) { return a == (b | 0x20) || a == b; }) &&
           is_in_words(peek(p + www.size(), end).kind);
}

/// Behind "scheme://", or null.
const char* behind_scheme(const char* p, const char* end) {
    const char* const first = p;
    while (p < end && (is_ascii_name(*p) || *p == '+' || *p == '-' || *p == '.')) {
        if (p - first >= kSchemeMax) return nullptr;
        ++p;
    }
    const std::string_view rest(p, static_cast<std::size_t>(end - p));
    if (p == first || !is_ascii_letter(*first) || !rest.starts_with("://")) return nullptr;
    return p + 3;
}

bool is_url_character(const Peeked& c) {
    if (c.code < 0x80)
        return c.code > ' ' &&
               std::string_view("<>\"`{}|\\^").find(static_cast<char>(c.code)) ==
                   std::string_view::npos &&
               c.kind != WordClass::space;
    return is_in_words(c.kind) || c.kind >= WordClass::ideograph;
}

/// Takes marks off the end that belong to the sentence: "(see http://a.b/c_(d))." keeps "c_(d)".
const char* without_sentence_marks(const char* first, const char* last) {
    const auto count = [&](char c) { return std::count(first, last, c); };
    auto closed_more = std::array{count(')') - count('('), count(']') - count('[')};
    while (last > first) {
        const char c = last[-1];
        const bool ends = std::string_view(".,;:!?'*_~").find(c) != std::string_view::npos;
        auto* const surplus = c == ')' ? &closed_more[0] : c == ']' ? &closed_more[1] : nullptr;
        if (!ends && !(surplus != nullptr && *surplus > 0)) break;
        if (surplus != nullptr) --*surplus;
        --last;
    }
    return last;
}

const char* rest_of_url(const char* first, const char* p, const char* end) {
    for (auto c = peek(p, end); p < end && is_url_character(c); c = peek(p, end)) p = c.next;
    return without_sentence_marks(first, p);
}

/// Behind labels joined by dots, the last of at least two letters; null if there are no two labels.
const char* domain_end(const char* p, const char* end) {
    const char* found = nullptr;
    for (int labels = 1;; ++labels) {
        const char* const label = p;
        while (p < end && (is_ascii_name(*p) || (*p == '-' && p > label))) ++p;
        if (p == label) return found;
        if (labels > 1 && p - label >= 2 && std::all_of(label, p, is_ascii_letter)) found = p;
        if (p == end || *p != '.') return found;
        ++p;
    }
}

const char* name_end(const char* p, const char* end) {
    for (auto c = peek(p, end); p < end; c = peek(p, end)) {
        if (!is_in_words(c.kind) &&
            !(c.kind >= WordClass::ideograph && c.kind < WordClass::emoji)) {
            break;
        }
        p = c.next;
    }
    return p;
}

bool has_letter(const char* p, const char* end) {
    for (; p < end; p = peek(p, end).next) {
        const auto kind = peek(p, end).kind;
        if (is_letter(kind) || (kind >= WordClass::ideograph && kind < WordClass::emoji)) {
            return true;
        }
    }
    return false;
}

constexpr std::string_view kEmoticons[] = {
    ":)",  ":-)", ":(",  ":-(",  ";)",  ";-)", ":D",  ":-D", ":P",   ":-P", ":p",
    ":-p", ":o",  ":-o", ":O",   ":-O", ":/",  ":-/", ":\\", ":-\\", ":|",  ":-|",
    ":*",  ":-*", ":'(", ":'-(", ":')", ":3",  "=)",  "=(",  "=D",   "=P",  ";D",
    ";P",  "<3",  "</3", ":]",   ":[",  ":$",  ":-$", "^^",  "^_^",  "-_-",
};

}  // namespace

const char* url_end(const char* p, const char* end) {
    if (const char* const behind = behind_scheme(p, end)) {
        const char* const last = rest_of_url(p, behind, end);
        return last > behind ? last : nullptr;
    }
    return starts_with_www(p, end) ? rest_of_url(p, p + 4, end) : nullptr;
}

const char* url_path_end(const char* word, const char* p, const char* end) {
    if (p == end || *p != '/' || domain_end(word, p) != p) return nullptr;
    if (!is_in_words(peek(p + 1, end).kind)) return nullptr;
    return rest_of_url(word, p, end);
}

const char* email_end(const char* p, const char* at, const char* end) {
    if (at == nullptr || at <= p || at - p > kEmailNameMax) return nullptr;
    const auto is_allowed = [](char c) {
        return is_ascii_name(c) || std::string_view("._%+-").find(c) != std::string_view::npos;
    };
    if (at[-1] == '.' || !std::all_of(p, at, is_allowed)) return nullptr;
    return domain_end(at + 1, end);
}

const char* hashtag_end(const char* p, const char* end) {
    const char* const last = name_end(p + 1, end);
    return has_letter(p + 1, last) ? last : nullptr;
}

const char* mention_end(const char* p, const char* end) {
    const char* const first = p + 1;
    if (first == end || !(is_ascii_letter(*first) || *first == '_')) return nullptr;
    const char* last = first;
    while (last < end && (is_ascii_name(*last) || *last == '_')) ++last;
    const bool has_name = std::any_of(first, last, is_ascii_name);
    return has_name && !is_in_words(peek(last, end).kind) ? last : nullptr;
}

const char* emoticon_end(const char* p, const char* end) {
    const std::string_view text(p, static_cast<std::size_t>(end - p));
    for (const auto emoticon : kEmoticons) {
        if (!text.starts_with(emoticon)) continue;
        const char* const last = p + emoticon.size();
        if (peek(last, end).kind == WordClass::space) return last;
    }
    return nullptr;
}

}  // namespace unitvec
