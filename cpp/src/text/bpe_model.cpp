#include "bpe_model.hpp"

#include <string>

#include "byte_level.hpp"

namespace unitvec {
namespace {

bool starts_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

}  // namespace

BpeModel::BpeModel(Normalizer normalizer, BytePairEncoding bpe, ByteLevelSettings settings)
    : SubwordModel(std::move(normalizer)), bpe_(std::move(bpe)), settings_(settings) {}

bool BpeModel::gets_prefix(std::string_view text) const {
    return settings_.add_prefix_space && !text.empty() && text.front() != ' ';
}

/// Calls on_word(bytes) for every word of a text; with a prefix space where the settings want one,
/// which is then the first byte of the first word.
template <typename OnWord>
void BpeModel::for_each_word(std::string_view text, OnWord on_word) const {
    std::string spaced;
    if (gets_prefix(text)) {
        spaced.reserve(text.size() + 1);
        spaced.append(1, ' ').append(text);
        text = spaced;
    }
    while (!text.empty()) {
        const auto length = settings_.use_regex ? byte_level::first_word(text) : text.size();
        on_word(text.substr(0, length));
        text.remove_prefix(length);
    }
}

void BpeModel::append_ids(std::string_view text, IdSink& ids) const {
    if (changes_text() || !unicode::is_valid(text)) {
        Pieces pieces;
        append_pieces(text, pieces);
        for (const auto& piece : pieces.tokens) ids.push_back(piece.id);
        return;
    }
    for_each_word(
        text, [&](std::string_view word) { ids.extend([&](auto& to) { bpe_.append(word, to); }); });
}

/// @param text       valid UTF-8
/// @param source_of  the code point of the original that the i-th character of `text` comes from
template <typename SourceOf>
void BpeModel::append_words(std::string_view text, SourceOf source_of, Pieces& pieces) const {
    const bool has_prefix = gets_prefix(text);
    std::vector<BytePairEncoding::Span> spans;
    std::size_t character = 0;  // behind the last byte that was looked at
    for_each_word(text, [&](std::string_view word) {
        spans.clear();
        bpe_.append(word, spans);
        const auto source = [&] {  // of the character that the last byte belongs to
            const auto i = character - 1;
            return source_of(has_prefix && i > 0 ? i - 1 : i);
        };
        for (const auto& span : spans) {
            if (starts_character(word[span.begin])) ++character;
            const auto begin = source();
            for (auto i = span.begin + 1; i < span.end; ++i) {
                if (starts_character(word[i])) ++character;
            }
            pieces.tokens.push_back({span.id, begin, source() + 1, pieces.words});
        }
        ++pieces.words;
    });
}

void BpeModel::append_pieces(std::string_view text, Pieces& pieces) const {
    const auto start = pieces.position;
    if (changes_text()) {
        auto normalized = normalize(text);
        for (auto& c : normalized) c.source += start;
        append_normalized(normalized, pieces);
    } else if (unicode::is_valid(text)) {
        append_words(
            text, [start](std::size_t i) { return start + static_cast<std::uint32_t>(i); }, pieces);
    } else {
        return append_pieces(unicode::encode(unicode::decode(text)), pieces);
    }
    pieces.position = start + static_cast<std::uint32_t>(unicode::count_code_points(text));
}

void BpeModel::append_normalized(std::span<const NormalizedCharacter> text, Pieces& pieces) const {
    std::string utf8;
    for (const auto& c : text) unicode::append_utf8(c.code, utf8);
    append_words(utf8, [text](std::size_t i) { return text[i].source; }, pieces);
}

}  // namespace unitvec
