#include "character_table.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "unicode_tables.hpp"

namespace unitvec {
namespace {

constexpr bool is_ascii_punctuation(char32_t code) {
    return (code >= '!' && code <= '/') || (code >= ':' && code <= '@') ||
           (code >= '[' && code <= '`') || (code >= '{' && code <= '~');
}

/// The code points that become another character, or whose place among marks matters.
std::vector<char32_t> particular_code_points() {
    std::vector<char32_t> codes{unicode::kReplacement, U'\t', U'\n', U'\v', U'\f', U'\r'};
    for (const auto& d : unicode_tables::decompositions()) codes.push_back(d.code);
    for (const auto& l : unicode_tables::lower_cases()) codes.push_back(l.code);
    for (const auto& c : unicode_tables::combining_classes()) {
        for (char32_t code = c.first; code <= c.last; ++code) codes.push_back(code);
    }
    for (char32_t code = 0; code < 0x80; ++code) codes.push_back(code);
    for (char32_t code = 0xAC00; code < 0xAC00 + 11172; ++code) codes.push_back(code);  // Hangul
    std::ranges::sort(codes);
    return codes;
}

/// The one character that a normalised ideograph is, between the spaces around it.
bool is_spaced(const NormalizedText& text) {
    return text.size() == 3 && text[0].code == U' ' && text[2].code == U' ' &&
           kind_of_normalized(text[1].code) != CharacterKind::space;
}

}  // namespace

CharacterKind kind_of_normalized(char32_t code) {
    const auto properties = unicode::properties(code);
    if ((properties & unicode::Property::whitespace) != 0) return CharacterKind::space;
    const bool punctuation = (properties & unicode::Property::punctuation) != 0;
    return punctuation || is_ascii_punctuation(code) ? CharacterKind::isolated
                                                     : CharacterKind::plain;
}

bool continues_marks(const Normalizer& normalizer, char32_t code) {
    if (normalizer.removes_at_once(code)) return true;
    std::u32string parts;
    unicode::append_decomposition(code, parts);
    return unicode::combining_class(parts.front()) != 0;
}

CharacterTable::CharacterTable(const Normalizer& normalizer) {
    std::vector<Entry> flat(unicode::kCodePoints);
    const auto particular = particular_code_points();
    const auto is_particular = [&particular](char32_t code) {
        return std::ranges::binary_search(particular, code);
    };
    if (normalizer.has(NormalizerStep::space_chinese_chars)) {
        for (char32_t code = 0; code < unicode::kCodePoints; ++code) {
            if (is_chinese_char(code)) flat[code] = Entry(CharacterKind::isolated, 0);
        }
    }
    constexpr auto kWordFlags = unicode::letter | unicode::number | unicode::word;
    for (const auto& [first, last, flags] : unicode_tables::properties()) {
        if ((flags & ~kWordFlags) == 0) continue;  // they stay what they are
        char32_t example = first;                  // the others of equal properties share its fate
        while (example < last && is_particular(example)) ++example;
        std::fill(flat.begin() + first, flat.begin() + last + 1, evaluate(normalizer, example));
    }
    for (const char32_t code : particular) flat[code] = evaluate(normalizer, code);
    store(flat);
}

CharacterTable::Entry CharacterTable::evaluate(const Normalizer& normalizer, char32_t code) {
    const auto result = normalizer.apply(std::u32string_view(&code, 1));
    if (result.empty()) {
        const bool continues = continues_marks(normalizer, code);
        return {continues ? CharacterKind::removed : CharacterKind::separator, 0};
    }
    const bool ordered = normalizer.has(NormalizerStep::nfd) &&
                         std::ranges::any_of(result, [](const NormalizedCharacter& c) {
                             return unicode::combining_class(c.code) != 0;
                         });
    if (ordered) return {CharacterKind::ordered, 0};
    const bool spaced = is_spaced(result);
    if (result.size() > 1 && !spaced) return as_sequence(result);
    const char32_t to = result[spaced ? 1 : 0].code;
    const auto kind = spaced ? CharacterKind::isolated : kind_of_normalized(to);
    return {kind, to == code ? 0 : to};
}

CharacterTable::Entry CharacterTable::as_sequence(const NormalizedText& characters) {
    const Entry entry(CharacterKind::sequence, static_cast<std::uint32_t>(sequences_.size()));
    sequences_.push_back(static_cast<char32_t>(characters.size()));
    for (const auto& c : characters) sequences_.push_back(c.code);
    return entry;
}

void CharacterTable::store(const std::vector<Entry>& flat) {
    std::map<std::string_view, std::uint32_t> known;  // a block's bytes -> where it is stored
    for (std::size_t block = 0; block < blocks_.size(); ++block) {
        const auto begin = flat.begin() + static_cast<std::ptrdiff_t>(block * kBlock);
        const std::string_view bytes(reinterpret_cast<const char*>(&*begin),
                                     kBlock * sizeof(Entry));
        const auto [it, is_new] = known.emplace(bytes, entries_.size());
        if (is_new) entries_.insert(entries_.end(), begin, begin + kBlock);
        blocks_[block] = it->second;
    }
}

}  // namespace unitvec
