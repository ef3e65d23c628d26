#include "unitvec/text/wordpiece.hpp"

#include <algorithm>

#include "trie.hpp"
#include "word_table.hpp"

namespace unitvec {
namespace {

/// Words that fit a WordKey and are not longer than `max_chars`, which come out as one token.
WordTable whole_words(const Vocabulary& vocabulary, std::size_t max_chars) {
    WordTable table(vocabulary.size());
    for (std::size_t i = 0; i < vocabulary.size(); ++i) {
        const auto id = static_cast<std::int32_t>(i);
        const std::string& token = vocabulary.token(id);
        const bool fits = token.size() <= std::min(WordKey::kMaxLength, max_chars);
        if (fits && !token.empty()) table.insert(WordKey::of(token), id);
    }
    return table;
}

void put(std::vector<std::int32_t>& ids, std::int32_t id, std::size_t, std::size_t) {
    ids.push_back(id);
}

void put(std::vector<WordPiece::Span>& spans, std::int32_t id, std::size_t begin, std::size_t end) {
    spans.push_back({id, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
}

}  // namespace

WordPiece::WordPiece(Vocabulary vocabulary, std::int32_t unknown, std::string prefix,
                     std::size_t max_chars)
    : vocabulary_(std::move(vocabulary)), unknown_(unknown), prefix_(std::move(prefix)),
      max_chars_(max_chars), continuation_(vocabulary_.trie().walk(Trie::kRoot, prefix_)),
      whole_words_(std::make_shared<const WordTable>(whole_words(vocabulary_, max_chars_))) {}

bool WordPiece::is_too_long(std::string_view word) const {
    if (word.size() <= max_chars_) return false;
    const auto chars = std::ranges::count_if(word, [](char c) { return (c & 0xC0) != 0x80; });
    return static_cast<std::size_t>(chars) > max_chars_;
}

template <typename Output>
void WordPiece::cut(std::string_view word, std::vector<Output>& out) const {
    const std::size_t before = out.size();
    const Trie& trie = vocabulary_.trie();
    Trie::Node from = Trie::kRoot;
    bool known = !is_too_long(word);
    for (std::size_t begin = 0; known && begin < word.size();) {
        const auto match =
            from == Trie::kNone ? Trie::Match{} : trie.longest_prefix(from, word.substr(begin));
        known = match.length > 0;
        if (known) put(out, match.value, begin, begin + match.length);
        begin += match.length;
        from = continuation_;
    }
    if (known) return;
    out.resize(before);
    put(out, unknown_, 0, word.size());
}

void WordPiece::append(std::string_view word, std::vector<Span>& spans) const {
    cut(word, spans);
}

void WordPiece::append(std::string_view word, std::vector<std::int32_t>& ids) const {
    cut(word, ids);
}

std::int32_t WordPiece::find_whole(const WordKey& word) const {
    return whole_words_->find(word);
}

}  // namespace unitvec
