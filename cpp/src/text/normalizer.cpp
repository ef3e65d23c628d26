#include "normalizer.hpp"

#include <algorithm>
#include <string>

namespace unitvec {
namespace {

bool is_removed_by_cleaning(char32_t code) {
    if (code == '\t' || code == '\n' || code == '\r') return false;
    return code == unicode::kReplacement ||
           (unicode::properties(code) & unicode::Property::control) != 0;
}

NormalizedText clean_text(const NormalizedText& text) {
    NormalizedText out;
    for (const auto& [code, source] : text) {
        if (is_removed_by_cleaning(code)) continue;
        const bool space = (unicode::properties(code) & unicode::Property::whitespace) != 0;
        out.push_back({space ? U' ' : code, source});
    }
    return out;
}

NormalizedText space_chinese_chars(const NormalizedText& text) {
    NormalizedText out;
    for (const auto& c : text) {
        if (is_chinese_char(c.code)) {
            out.insert(out.end(), {{U' ', c.source}, c, {U' ', c.source}});
        } else {
            out.push_back(c);
        }
    }
    return out;
}

/// A decomposed character before its marks are put in order.
struct Decomposed {
    char32_t code;
    std::uint8_t combining_class;
    bool starts;  ///< the first of what its original became
};

std::vector<Decomposed> decompose(const NormalizedText& text) {
    std::vector<Decomposed> out;
    std::u32string parts;
    for (const auto& c : text) {
        parts.clear();
        unicode::append_decomposition(c.code, parts);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            out.push_back({parts[i], unicode::combining_class(parts[i]), i == 0});
        }
    }
    return out;
}

/// Puts every run of characters that are not starters in the order of their classes.
void order_marks(std::vector<Decomposed>& text) {
    const auto is_starter = [](const Decomposed& c) { return c.combining_class == 0; };
    for (auto begin = text.begin(); begin != text.end();) {
        begin = std::find_if_not(begin, text.end(), is_starter);
        const auto end = std::find_if(begin, text.end(), is_starter);
        std::stable_sort(begin, end, [](const Decomposed& a, const Decomposed& b) {
            return a.combining_class < b.combining_class;
        });
        begin = end;
    }
}

NormalizedText nfd(const NormalizedText& text) {
    auto decomposed = decompose(text);
    order_marks(decomposed);
    NormalizedText out;
    std::size_t originals = 0;
    for (const auto& c : decomposed) {
        originals += c.starts ? 1 : 0;
        out.push_back({c.code, text[std::max<std::size_t>(originals, 1) - 1].source});
    }
    return out;
}

NormalizedText strip(NormalizedText text, unicode::Property property) {
    std::erase_if(text, [property](const NormalizedCharacter& c) {
        return (unicode::properties(c.code) & property) != 0;
    });
    return text;
}

NormalizedText lowercase(const NormalizedText& text) {
    NormalizedText out;
    std::u32string lower;
    for (const auto& c : text) {
        lower.clear();
        unicode::append_lower_case(c.code, lower);
        for (const auto code : lower) out.push_back({code, c.source});
    }
    return out;
}

NormalizedText apply_step(NormalizerStep step, NormalizedText text) {
    switch (step) {
        case NormalizerStep::clean_text: return clean_text(text);
        case NormalizerStep::space_chinese_chars: return space_chinese_chars(text);
        case NormalizerStep::nfd: return nfd(text);
        case NormalizerStep::strip_nonspacing:
            return strip(std::move(text), unicode::Property::mark_nonspacing);
        case NormalizerStep::strip_marks: return strip(std::move(text), unicode::Property::mark);
        case NormalizerStep::lowercase: return lowercase(text);
    }
    return text;
}

}  // namespace

bool is_chinese_char(char32_t code) {
    if (code < 0x3400) return false;
    const auto in = [code](char32_t first, char32_t last) { return code >= first && code <= last; };
    return in(0x4E00, 0x9FFF) || in(0x3400, 0x4DBF) || in(0xF900, 0xFAFF) || in(0x20000, 0x2A6DF) ||
           in(0x2A700, 0x2B81F) || in(0x2B920, 0x2CEAF) || in(0x2F800, 0x2FA1F);
}

bool Normalizer::has(NormalizerStep step) const {
    return std::ranges::find(steps_, step) != steps_.end();
}

NormalizedText Normalizer::apply(std::u32string_view text) const {
    NormalizedText out;
    out.reserve(text.size());
    for (const auto code : text) out.push_back({code, static_cast<std::uint32_t>(out.size())});
    for (const auto step : steps_) out = apply_step(step, std::move(out));
    return out;
}

bool Normalizer::removes_at_once(char32_t code) const {
    return has(NormalizerStep::clean_text) && is_removed_by_cleaning(code);
}

}  // namespace unitvec
