#include "unitvec/text/words.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "web_words.hpp"
#include "word_reader.hpp"

namespace unitvec {
namespace {

constexpr char32_t kPictureForm = 0xFE0F;  // VARIATION SELECTOR-16
constexpr char32_t kKeycap = 0x20E3;
constexpr char32_t kJoiner = 0x200D;
constexpr std::size_t kSegmentMax = 32;  // bytes looked ahead of a full stop

/// Abbreviations that end in a full stop which does not end the sentence, in lower case.
constexpr std::string_view kAbbreviations[] = {"dr", "etc", "inc",  "jr",  "ltd", "mr", "mrs",
                                               "ms", "mt",  "prof", "rev", "sr",  "st", "vs"};

bool is_abbreviation(std::string_view word) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    };
    return std::ranges::any_of(kAbbreviations, [&](std::string_view known) {
        return std::ranges::equal(word, known, {}, lower);
    });
}

/// Walks over one text.
class Splitter {
public:
    Splitter(std::string_view text, const WordRules& rules, std::vector<Word>& out)
        : begin_(text.data()), end_(text.data() + text.size()), rules_(rules), out_(out) {}

    void run() {
        for (const char* p = begin_; p < end_;) {
            const auto c = peek(p, end_);
            if (c.kind == WordClass::space || c.kind == WordClass::format) {
                p = c.next;
                before_ = WordClass::space;
                continue;
            }
            p = token(p, c);
            before_ = kind_before(c, p);
        }
    }

private:
    const char* token(const char* p, const Peeked& c) {
        if (const char* const last = special(p, c)) return last;
        switch (c.kind) {
            case WordClass::ideograph: return add(p, attached(c.next), WordKind::word);
            case WordClass::hiragana:
            case WordClass::katakana: return add(p, run_of(c.kind, c.next), WordKind::word);
            case WordClass::emoji:
            case WordClass::modifier:
            case WordClass::regional: return add(p, emoji_end(p), WordKind::emoji);
            case WordClass::punctuation:
            case WordClass::symbol: return mark(p, c);
            default: return is_picture(c) ? add(p, emoji_end(p), WordKind::emoji) : word(p);
        }
    }

    /// Tokens that a pattern recognises, whatever their first character is.
    const char* special(const char* p, const Peeked& c) {
        if (before_in_word()) return nullptr;
        if (is_ascii_letter(*p)) {
            if (const char* const last = url_end(p, end_)) return add(p, last, WordKind::url);
        }
        if (const char* const last = keycap_end(p, c)) return add(p, last, WordKind::emoji);
        if (const char* const last = email_end(p, next_at(p), end_)) {
            return add(p, last, WordKind::email);
        }
        if (c.code == U'#') {
            if (const char* last = hashtag_end(p, end_)) return add(p, last, WordKind::hashtag);
        }
        if (c.code == U'@') {
            if (const char* last = mention_end(p, end_)) return add(p, last, WordKind::mention);
        }
        if (before_ == WordClass::space && c.code < 0x80 && c.kind >= WordClass::punctuation) {
            if (const char* last = emoticon_end(p, end_)) return add(p, last, WordKind::emoticon);
        }
        return nullptr;
    }

    /// A mark, a run of full stops or hyphens, a signed number, or a name such as ".NET".
    const char* mark(const char* p, const Peeked& c) {
        const auto next = peek(c.next, end_);
        const bool starts = before_ == WordClass::space || before_ == WordClass::punctuation;
        const bool is_sign = is_hyphen(c.code) || c.code == U'+' || c.code == 0x2212;
        if (starts && next.kind == WordClass::digit && (is_sign || c.code == U'.')) return word(p);
        if (starts && is_sign && next.code == U'.' &&
            peek(next.next, end_).kind == WordClass::digit) {
            return word(p);
        }
        if (before_ == WordClass::space && c.code == U'.' && is_capital_segment(c.next)) {
            return word(p);
        }
        const char* last = c.next;
        if (c.code == U'.' || c.code == U'-') {
            while (peek(last, end_).code == c.code) last = peek(last, end_).next;
        }
        if (peek(last, end_).code == kPictureForm) return add(p, emoji_end(p), WordKind::emoji);
        last = attached(last);
        const bool punctuates = c.kind == WordClass::punctuation;
        return add(p, last, punctuates ? WordKind::punctuation : WordKind::symbol);
    }

    /// A word or number; `p` may be at its sign or leading full stop.
    const char* word(const char* p) {
        const char* last = p;
        Scan scan;
        auto c = peek(p, end_);
        if (!is_in_words(c.kind)) {  // a sign, or the full stop of ".5" and ".NET"
            scan.take(c);
            last = c.next;
            if (peek(last, end_).code == U'.') last = peek(last, end_).next;
        }
        for (c = peek(last, end_); last < end_; c = peek(last, end_)) {
            if (is_in_words(c.kind) || c.kind == WordClass::format) {
                if (is_picture(c)) break;
                scan.take(c);
                last = c.next;
            } else if (const char* const joined = behind_joint(p, last, c, scan)) {
                scan.joined = true;
                last = joined;
            } else {
                break;
            }
        }
        return finish(p, with_ending(p, last, scan), scan);
    }

    /// What was met of a word.
    struct Scan {
        char32_t last = 0;
        WordClass kind = WordClass::space;
        bool letters = false;  // or anything else that numbers do not have
        bool digits = false;
        bool initials = true;  // letters, each alone between full stops: "U.S"
        bool joined = false;
        bool capital = false;  // it starts with one
        bool title = false;    // two letters at most between full stops: "Ph.D", "M.Sc"
        int segment = 0;       // characters since the last joint

        void take(const Peeked& c) {
            if (is_attached(c.kind)) return;  // an accent leaves its letter what it is
            if (last == 0) capital = c.kind == WordClass::upper;
            last = c.code;
            kind = c.kind;
            if (c.kind == WordClass::digit || c.kind == WordClass::number) {
                digits = true;
            } else if (is_in_words(c.kind) && c.kind != WordClass::connector) {
                letters = true;
            }
            ++segment;
            initials = initials && is_letter(c.kind) && segment == 1;
        }
    };

    /// Behind the mark at `p`, if it stands within a word; `first` is where the word starts.
    const char* behind_joint(const char* first, const char* p, const Peeked& c, Scan& scan) {
        const auto next = peek(c.next, end_);
        if (!is_in_words(next.kind) || is_attached(next.kind)) {
            return exponent_sign(first, p, c, scan);
        }
        const bool after_digit = scan.kind == WordClass::digit;
        const bool before_digit = next.kind == WordClass::digit;
        const bool letters = !after_digit && is_letter(next.kind);
        if (is_apostrophe(c.code) || c.code == 0xB7 || c.code == 0x5F3 || c.code == 0x5F4) {
            return is_letter(next.kind) && is_letter_like(scan.kind) ? c.next : nullptr;
        }
        if (is_hyphen(c.code)) {
            if (const char* const sign = exponent_sign(first, p, c, scan)) return sign;
            scan.initials = false;
            const bool words = scan.letters || !before_digit;
            return rules_.hyphens == Joined::split && words ? nullptr : c.next;
        }
        if (c.code == U'+') return exponent_sign(first, p, c, scan);
        if (c.code == U'&') {
            const bool capitals = scan.kind == WordClass::upper && next.kind == WordClass::upper;
            return capitals ? c.next : nullptr;
        }
        if (c.code == U'.') return joins_by_full_stop(c, next, scan) ? c.next : nullptr;
        const bool in_number = c.code == U',' || c.code == U':' || c.code == U'/';
        return !letters && in_number && after_digit && before_digit && !scan.letters ? c.next
                                                                                     : nullptr;
    }

    bool joins_by_full_stop(const Peeked& c, const Peeked& next, Scan& scan) {
        const bool initial = scan.initials && scan.segment == 1 && is_letter(next.kind) &&
                             !is_in_words(peek(next.next, end_).kind);
        const bool small = next.kind != WordClass::upper;
        const bool capitals = scan.kind != WordClass::letter && next.kind == WordClass::upper &&
                              is_capital_segment(c.next);
        const bool title =
            scan.capital && scan.segment <= 2 && !scan.digits && is_title_segment(c.next);
        if (!initial && !small && !capitals && !title) return false;
        scan.title = title || (scan.title && !small);
        scan.initials = scan.initials && scan.segment == 1;
        scan.segment = 0;
        return true;
    }

    /// Behind the sign of "1e-5" and "6.02E+23".
    const char* exponent_sign(const char* first, const char* p, const Peeked& c, const Scan& scan) {
        if ((c.code != U'-' && c.code != U'+') || (scan.last | 0x20) != U'e') return nullptr;
        if (peek(c.next, end_).kind != WordClass::digit) return nullptr;
        const std::string_view mantissa(first, static_cast<std::size_t>(p - 1 - first));
        return is_mantissa(mantissa) ? c.next : nullptr;
    }

    /// "6.02" or "-6.02".
    static bool is_mantissa(std::string_view text) {
        if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
        const auto is_number = [](char c) { return is_ascii_digit(c) || c == '.' || c == ','; };
        return !text.empty() && is_ascii_digit(text.back()) && std::ranges::all_of(text, is_number);
    }

    /// The end of a word with the marks that may close it: "U.S.", "Mr.", "C++", "C#", "5+".
    const char* with_ending(const char* first, const char* last, const Scan& scan) {
        const auto c = peek(last, end_);
        const auto next = peek(c.next, end_);
        const bool ends_here = !is_in_words(next.kind);
        const std::string_view word(first, static_cast<std::size_t>(last - first));
        if (c.code == U'.' && scan.letters && !scan.digits) {
            const bool initials = scan.joined && scan.initials && scan.segment == 1;
            const bool known =
                scan.joined ? scan.title && scan.segment <= 2 : is_abbreviation(word);
            return (initials || known) && (ends_here || initials) && next.code != U'.' ? c.next
                                                                                       : last;
        }
        if (c.code == U'+') {
            if (!scan.letters) return ends_here && next.code != U'+' ? c.next : last;
            if (next.code == U'+' && is_ascii_letter(*first)) return behind_plus_plus(next.next);
            return word.size() == 1 && scan.kind == WordClass::upper && ends_here ? c.next : last;
        }
        if (c.code == U'#' && word.size() == 1 && scan.kind == WordClass::upper && ends_here) {
            return c.next;
        }
        return last;
    }

    /// "++" and what may follow it: nothing, or the year of "C++20".
    const char* behind_plus_plus(const char* p) {
        const char* last = p;
        while (peek(last, end_).kind == WordClass::digit) last = peek(last, end_).next;
        const auto after = peek(last, end_);
        const bool ends = !is_in_words(after.kind) && after.code != U'+';
        return ends ? last : p - 2;
    }

    const char* finish(const char* p, const char* last, const Scan& scan) {
        if (scan.kind == WordClass::connector && !scan.letters && !scan.digits) {
            return add(p, last, WordKind::punctuation);  // "__"
        }
        if (const char* const path = url_path_end(p, last, end_)) {
            return add(p, path, WordKind::url);
        }
        const bool exponent = scan.letters && is_exponent_number(p, last);
        const bool number = exponent || (scan.digits && !scan.letters);
        if (!number && rules_.contractions == Joined::split) return add_contraction(p, last);
        return add(p, last, number ? WordKind::number : WordKind::word);
    }

    /// "1e5", "6.02E+23"; hexadecimal "0x1F" and "12e" are words.
    static bool is_exponent_number(const char* p, const char* last) {
        const std::string_view text(p, static_cast<std::size_t>(last - p));
        const auto e = text.find_first_of("eE");
        if (e == std::string_view::npos) return false;
        auto power = text.substr(e + 1);
        if (power.starts_with('-') || power.starts_with('+')) power.remove_prefix(1);
        return !power.empty() && std::ranges::all_of(power, is_ascii_digit) &&
               is_mantissa(text.substr(0, e));
    }

    /// "do" "n't", "Ann" "'s": the Penn Treebank's cuts.
    const char* add_contraction(const char* p, const char* last) {
        const char* cut = nullptr;
        for (const char* q = p; q < last; q = peek(q, last).next) {
            if (is_apostrophe(peek(q, last).code)) cut = q;
        }
        if (cut == nullptr || cut == p) return add(p, last, WordKind::word);
        const char* const behind = peek(cut, last).next;
        std::string_view ending(behind, static_cast<std::size_t>(last - behind));
        const auto is = [&](std::string_view lower) {
            return std::ranges::equal(ending, lower,
                                      [](char a, char b) { return (a | 0x20) == b; });
        };
        if (is("t") && (cut[-1] | 0x20) == 'n') {
            if (cut - 1 == p) return add(p, last, WordKind::word);
            --cut;
        } else if (!is("s") && !is("m") && !is("d") && !is("re") && !is("ve") && !is("ll")) {
            return add(p, last, WordKind::word);
        }
        add(p, cut, WordKind::word);
        return add(cut, last, WordKind::word);
    }

    /// Whether the capitals from here on make a whole name: "NET", but not the "T" of "The".
    bool is_capital_segment(const char* p) const {
        std::size_t letters = 0;
        const char* const first = p;
        auto c = peek(p, end_);
        for (; c.kind == WordClass::upper && p < first + kSegmentMax; c = peek(p, end_)) {
            ++letters;
            p = c.next;
        }
        return letters >= 2 && !is_in_words(c.kind);
    }

    /// Whether a capital, with a small letter or none behind it, stands before a full stop: "D.",
    /// "Sc.".
    bool is_title_segment(const char* p) const {
        auto c = peek(p, end_);
        if (c.kind != WordClass::upper) return false;
        c = peek(c.next, end_);
        if (c.kind == WordClass::letter) c = peek(c.next, end_);
        return c.code == U'.';
    }

    /// A digit or mark with U+20E3 around it: "1\uFE0F\u20E3".
    const char* keycap_end(const char* p, const Peeked& c) const {
        if (c.code > U'9' || (c.code < U'0' && c.code != U'#' && c.code != U'*')) return nullptr;
        auto next = peek(p + 1, end_);
        if (next.code == kPictureForm) next = peek(next.next, end_);
        return next.code == kKeycap ? next.next : nullptr;
    }

    /// A picture with its tone and what joiners join to it (UTS 51, ED-17); two halves of a flag.
    const char* emoji_end(const char* p) const {
        auto c = peek(p, end_);
        if (c.kind == WordClass::regional) {
            const auto next = peek(c.next, end_);
            return next.kind == WordClass::regional ? attached(next.next) : attached(c.next);
        }
        for (;;) {
            p = c.next;
            for (c = peek(p, end_); c.kind == WordClass::modifier ||
                                    (is_attached(c.kind) && c.code != kJoiner && p < end_);
                 c = peek(p, end_)) {
                p = c.next;
            }
            if (c.code != kJoiner) return p;
            const auto joined = peek(c.next, end_);
            if (joined.kind != WordClass::emoji && joined.kind != WordClass::symbol) {
                return attached(p);
            }
            c = joined;
        }
    }

    /// Digits and letters that U+FE0F makes pictures start no word ("\u2139\uFE0F").
    bool is_picture(const Peeked& c) const {
        return c.code >= 0x2000 && c.kind == WordClass::letter &&
               peek(c.next, end_).code == kPictureForm;
    }

    const char* run_of(WordClass kind, const char* p) const {
        for (auto c = peek(p, end_); c.kind == kind || is_attached(c.kind); c = peek(p, end_)) {
            if (p == end_) break;
            p = c.next;
        }
        return p;
    }

    const char* attached(const char* p) const {
        while (p < end_ && is_attached(peek(p, end_).kind)) p = peek(p, end_).next;
        return p;
    }

    /// The next @ at or behind `p`; each is looked for once.
    const char* next_at(const char* p) {
        if (at_ != nullptr && at_ < p) at_ = find_at(p);
        if (!looked_) at_ = find_at(p);
        looked_ = true;
        return at_;
    }
    const char* find_at(const char* p) const {
        return static_cast<const char*>(std::memchr(p, '@', static_cast<std::size_t>(end_ - p)));
    }

    const char* add(const char* p, const char* last, WordKind kind) {
        out_.push_back(
            {static_cast<std::size_t>(p - begin_), static_cast<std::size_t>(last - begin_), kind});
        return last;
    }

    /// What the token that ends at `p` leaves for the next one to look back on.
    WordClass kind_before(const Peeked& first, const char* p) const {
        if (first.kind >= WordClass::ideograph) return first.kind;
        const auto kind = out_.back().kind;
        if (kind == WordKind::punctuation || kind == WordKind::symbol) {
            const char c = p[-1];
            const bool opens = c == '(' || c == '[' || c == '{' || c == '"' || c == '\'';
            return opens ? WordClass::punctuation : WordClass::symbol;
        }
        if (kind == WordKind::emoji || kind == WordKind::emoticon) return WordClass::emoji;
        return WordClass::letter;
    }
    bool before_in_word() const { return before_ == WordClass::letter; }

    static bool is_letter_like(WordClass c) {
        return is_letter(c) || c == WordClass::digit || c == WordClass::other;
    }

    const char* begin_;
    const char* end_;
    const WordRules& rules_;
    std::vector<Word>& out_;
    WordClass before_ = WordClass::space;
    const char* at_ = nullptr;
    bool looked_ = false;
};

}  // namespace

void split_words(std::string_view utf8, const WordRules& rules, std::vector<Word>& out) {
    Splitter(utf8, rules, out).run();
}

WordKind kind_of_word(std::string_view token) {
    std::vector<Word> words;
    split_words(token, {}, words);
    if (words.size() == 1 && words[0].begin == 0 && words[0].end == token.size()) {
        return words[0].kind;
    }
    const auto is = [](WordKind kind) { return [kind](const Word& w) { return w.kind == kind; }; };
    const auto is_mark = [&](const Word& w) {
        return w.kind == WordKind::punctuation || w.kind == WordKind::symbol;
    };
    if (!words.empty() && std::ranges::all_of(words, is_mark)) {
        const bool symbols = std::ranges::any_of(words, is(WordKind::symbol));
        return symbols ? WordKind::symbol : WordKind::punctuation;
    }
    return WordKind::word;
}

}  // namespace unitvec
