#include "unitvec/text/word_cleaner.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <unordered_map>

#include "unitvec/text/unicode.hpp"
#include "word_reader.hpp"

namespace unitvec {
namespace {

constexpr char32_t kCapitalSigma = 0x3A3;
constexpr char32_t kFinalSigma = 0x3C2;

bool is_address(WordKind kind) {
    return kind == WordKind::url || kind == WordKind::email;
}

/// Marks at the ends of these are signs, not spelling.
bool has_signs(WordKind kind) {
    return kind == WordKind::hashtag || kind == WordKind::mention || kind == WordKind::number;
}

bool is_mark(WordClass c) {
    return c == WordClass::punctuation || c == WordClass::symbol || c == WordClass::connector;
}

bool is_cased_letter(char32_t code) {
    const auto kind = word_class(code);
    return kind == WordClass::letter || kind == WordClass::upper;
}

/// What `lower_case` makes of a capital sigma that `text` has at `i`.
char32_t small_sigma(std::u32string_view text, std::size_t i) {
    std::size_t before = i;
    while (before > 0 && is_attached(word_class(text[before - 1]))) --before;
    std::size_t behind = i + 1;
    while (behind < text.size() && is_attached(word_class(text[behind]))) ++behind;
    const bool ends = before > 0 && is_cased_letter(text[before - 1]) &&
                      (behind == text.size() || !is_cased_letter(text[behind]));
    return ends ? kFinalSigma : kFinalSigma + 1;
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// As stop words are written: in lower case, apostrophes straight.
std::string as_stop_word(std::string_view token) {
    std::string word = lower_case(token);
    for (std::size_t at = word.find("\u2019"); at != std::string::npos; at = word.find("\u2019")) {
        word.replace(at, 3, "'");
    }
    return word;
}

bool is_digit(char32_t code) {
    const auto kind = word_class(code);
    return kind == WordClass::digit || kind == WordClass::number;
}

/// "1st", "22nd", "1990s": what is left of these without their digits is no word.
bool is_ordinal_or_decade(std::u32string_view word) {
    const auto letters = std::ranges::find_if_not(word, is_digit) - word.begin();
    const auto ending = lower_case(unicode::encode(word.substr(static_cast<std::size_t>(letters))));
    return letters > 0 &&
           (ending == "st" || ending == "nd" || ending == "rd" || ending == "th" || ending == "s");
}

/// "15-year" without its number does not begin with a hyphen.
std::string without_digits(std::string_view token) {
    std::u32string word = unicode::decode(token);
    if (std::ranges::none_of(word, is_digit)) return std::string(token);
    if (is_ordinal_or_decade(word)) return {};
    std::erase_if(word, is_digit);
    const auto is_hanging = [](char32_t code) {
        return is_mark(word_class(code)) && code != U'#' && code != U'@';
    };
    word.erase(word.begin(), std::ranges::find_if_not(word, is_hanging));
    while (!word.empty() && is_mark(word_class(word.back()))) word.pop_back();
    return unicode::encode(word);
}

/// Gives every different token one number.
class Outcomes {
public:
    explicit Outcomes(const WordCleaner& cleaner) : cleaner_(cleaner) {}

    void add(std::string_view token, WordKind kind, CleanedTexts& texts) {
        auto& known = known_[static_cast<std::size_t>(kind)];
        auto at = known.find(token);
        if (at == known.end()) at = known.emplace(token, make(token, kind, texts)).first;
        const auto [first, count] = at->second;
        for (std::uint32_t i = 0; i < count; ++i) texts.tokens.push_back(parts_[first + i]);
    }

private:
    struct Outcome {
        std::size_t first;
        std::uint32_t count;
    };
    Outcome make(std::string_view token, WordKind kind, CleanedTexts& texts) {
        scratch_.clear();
        cleaner_.apply(token, kind, scratch_);
        const Outcome outcome{parts_.size(), static_cast<std::uint32_t>(scratch_.size())};
        for (auto& word : scratch_) parts_.push_back(number_of(std::move(word), texts));
        return outcome;
    }
    std::uint32_t number_of(std::string&& word, CleanedTexts& texts) {
        if (texts.words.size() == std::numeric_limits<std::uint32_t>::max()) {
            throw std::length_error("[clean] expected fewer than 2^32 different words in one call");
        }
        const auto number = static_cast<std::uint32_t>(texts.words.size());
        const auto [at, is_new] = numbers_.try_emplace(word, number);
        if (is_new) texts.words.push_back(std::move(word));
        return at->second;
    }

    const WordCleaner& cleaner_;
    std::unordered_map<std::string_view, Outcome> known_[10];  // by kind
    std::unordered_map<std::string, std::uint32_t> numbers_;
    std::vector<std::uint32_t> parts_;
    std::vector<std::string> scratch_;
};

}  // namespace

std::string lower_case(std::string_view utf8) {
    if (is_ascii(utf8)) {
        std::string lower(utf8);
        for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
        return lower;
    }
    const auto text = unicode::decode(utf8);
    std::u32string lower;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == kCapitalSigma) {
            lower.push_back(small_sigma(text, i));
        } else {
            unicode::append_lower_case(text[i], lower);
        }
    }
    return unicode::encode(lower);
}

std::string CleanedTexts::join(std::size_t text, std::string_view separator) const {
    const std::size_t first = text == 0 ? 0 : ends[text - 1];
    std::size_t size = 0;
    for (std::size_t i = first; i < ends[text]; ++i) size += words[tokens[i]].size() + 1;
    std::string joined;
    joined.reserve(size);
    for (std::size_t i = first; i < ends[text]; ++i) {
        if (i > first) joined += separator;
        joined += words[tokens[i]];
    }
    return joined;
}

bool WordCleaner::is_removed_mark(char32_t code) const {
    const auto kind = word_class(code);
    const bool in_p = kind == WordClass::punctuation || kind == WordClass::connector;
    const bool in_s = kind == WordClass::symbol || kind == WordClass::emoji ||
                      kind == WordClass::regional || kind == WordClass::modifier;
    if (!((in_p && rules_.remove_category_p) || (in_s && rules_.remove_category_s))) return false;
    return !std::ranges::binary_search(rules_.keep, code);
}

/// Tokens of nothing but marks and pictures; an emoticon is one mark.
bool WordCleaner::is_dropped(std::string_view token, WordKind kind) const {
    switch (kind) {
        case WordKind::emoji:
        case WordKind::emoticon: break;
        case WordKind::punctuation:
        case WordKind::symbol:
            return std::ranges::all_of(unicode::decode(token), [&](char32_t code) {
                return is_removed_mark(code) || is_attached(word_class(code));
            });
        default: return false;
    }
    if (rules_.keep_emoji) return false;
    if (kind == WordKind::emoticon) return rules_.remove_category_p || rules_.remove_category_s;
    const auto codes = unicode::decode(token);
    const bool kept = std::ranges::any_of(
        codes, [&](char32_t code) { return std::ranges::binary_search(rules_.keep, code); });
    return rules_.remove_category_s && !kept;
}

/// Takes marks off the ends of signs, and out of words where that is asked for.
void WordCleaner::strip_marks(std::string& word, WordKind kind,
                              std::vector<std::string>& parts) const {
    auto codes = unicode::decode(word);
    if (has_signs(kind)) {
        const auto first =
            std::ranges::find_if_not(codes, [&](char32_t code) { return is_removed_mark(code); });
        codes.erase(codes.begin(), first);
        while (!codes.empty() && is_removed_mark(codes.back())) codes.pop_back();
    }
    if (!rules_.marks_inside_words || kind == WordKind::number) {
        word = unicode::encode(codes);
        return;
    }
    std::u32string part;
    const auto flush = [&] {
        if (!part.empty()) parts.push_back(unicode::encode(part));
        part.clear();
    };
    for (const char32_t code : codes) {
        if (!is_removed_mark(code)) {
            part.push_back(code);
        } else if (!is_apostrophe(code) && code != U'.') {  // "don't", "U.S." stay one word
            flush();
        }
    }
    flush();
    word.clear();
}

void WordCleaner::apply(std::string_view token, WordKind kind,
                        std::vector<std::string>& out) const {
    if ((rules_.strip_urls && kind == WordKind::url) ||
        (rules_.strip_emails && kind == WordKind::email)) {
        return;
    }
    std::vector<std::string> parts;
    std::string word(token);
    if (rules_.remove_punctuation) {
        if (is_dropped(token, kind)) return;
        const bool is_word = kind == WordKind::word && rules_.marks_inside_words;
        if (has_signs(kind) || is_word) strip_marks(word, kind, parts);
    }
    if (!word.empty()) parts.push_back(std::move(word));
    if ((rules_.remove_numbers || rules_.remove_digits) && kind == WordKind::number) return;
    for (auto& part : parts) {
        if (rules_.remove_digits && !is_address(kind)) part = without_digits(part);
        if (rules_.lowercase) part = lower_case(part);
        const bool stops =
            !rules_.stop_words.empty() && rules_.stop_words.contains(as_stop_word(part));
        if (!part.empty() && !stops) out.push_back(std::move(part));
    }
}

CleanedTexts WordCleaner::clean(std::span<const std::string_view> texts) const {
    CleanedTexts cleaned;
    cleaned.ends.reserve(texts.size());
    Outcomes outcomes(*this);
    std::vector<Word> words;
    for (const auto text : texts) {
        words.clear();
        split_words(text, rules_.words, words);
        for (const auto& word : words) {
            outcomes.add(text.substr(word.begin, word.end - word.begin), word.kind, cleaned);
        }
        cleaned.ends.push_back(cleaned.tokens.size());
    }
    return cleaned;
}

void WordCleaner::remove_short(CleanedTexts& texts) const {
    std::vector<char> stays(texts.words.size());
    bool all = true;
    for (std::size_t i = 0; i < stays.size(); ++i) {
        const auto& word = texts.words[i];
        stays[i] = !word.empty() && unicode::count_code_points(word) >= rules_.min_length;
        all = all && stays[i] != 0;
    }
    if (all) return;
    std::size_t kept = 0;
    std::size_t i = 0;
    for (auto& end : texts.ends) {
        for (; i < end; ++i) {
            if (stays[texts.tokens[i]] != 0) texts.tokens[kept++] = texts.tokens[i];
        }
        end = kept;
    }
    texts.tokens.resize(kept);
}

}  // namespace unitvec
