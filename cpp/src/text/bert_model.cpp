#include "bert_model.hpp"

#include <algorithm>
#include <string>

#include "ascii_run.hpp"
#include "word_table.hpp"

namespace unitvec {
namespace {

using Kind = CharacterKind;

/// Where a scanner puts its words when only ids are wanted.
class IdOutput {
public:
    IdOutput(const WordPiece& wordpiece, IdSink& ids) : wordpiece_(wordpiece), ids_(ids) {}

    void add_source(std::uint32_t, std::size_t) {}
    void add_token(std::int32_t id, std::uint32_t, std::uint32_t) { ids_.push_back(id); }
    void add_word(std::string_view word) {
        const auto id =
            word.size() <= WordKey::kMaxLength ? wordpiece_.find_whole(WordKey::of(word)) : -1;
        if (id >= 0) {
            ids_.push_back(id);
        } else {
            add_folded_word(word, 0);
        }
    }
    void add_folded_word(std::string_view word, std::uint32_t) {
        ids_.extend([&](auto& ids) { wordpiece_.append(word, ids); });
    }

private:
    const WordPiece& wordpiece_;
    IdSink& ids_;
};

/// Where a scanner puts its words when their places are wanted too.
class PieceOutput {
public:
    PieceOutput(const WordPiece& wordpiece, Pieces& pieces)
        : wordpiece_(wordpiece), pieces_(pieces) {}

    /// The next `bytes` bytes of the word come from the code point `source`.
    void add_source(std::uint32_t source, std::size_t bytes) {
        sources_.insert(sources_.end(), bytes, source);
    }
    void add_token(std::int32_t id, std::uint32_t begin, std::uint32_t end) {
        pieces_.tokens.push_back({id, begin, end, pieces_.words++});
    }
    /// A word whose sources have been added.
    void add_word(std::string_view word) {
        cut(word);
        for (const auto& s : spans_) {
            pieces_.tokens.push_back(
                {s.id, sources_[s.begin], sources_[s.end - 1] + 1, pieces_.words});
        }
        ++pieces_.words;
        sources_.clear();
    }
    /// A word that has a byte for every code point from `first` on.
    void add_folded_word(std::string_view word, std::uint32_t first) {
        cut(word);
        for (const auto& s : spans_) {
            pieces_.tokens.push_back({s.id, first + s.begin, first + s.end, pieces_.words});
        }
        ++pieces_.words;
    }

private:
    void cut(std::string_view word) {
        spans_.clear();
        wordpiece_.append(word, spans_);
    }

    const WordPiece& wordpiece_;
    Pieces& pieces_;
    std::vector<std::uint32_t> sources_;
    std::vector<WordPiece::Span> spans_;
};

/// Collects normalised characters into words.
template <typename Output>
class WordBuilder {
public:
    explicit WordBuilder(Output output) : output_(std::move(output)) {}

    [[nodiscard]] bool is_empty() const { return word_.empty(); }
    [[nodiscard]] Output& output() { return output_; }

    void add(Kind kind, char32_t code, std::uint32_t source) {
        if (kind != Kind::plain) finish();
        if (kind == Kind::space) return;
        const auto before = word_.size();
        unicode::append_utf8(code, word_);
        output_.add_source(source, word_.size() - before);
        if (kind == Kind::isolated) finish();
    }

    void finish() {
        if (word_.empty()) return;
        output_.add_word(word_);
        word_.clear();
    }

private:
    Output output_;
    std::string word_;
};

}  // namespace

/// Reads a text once, from left to right: normalises, splits and looks words up as it goes.
template <typename Output>
class BertScanner {
public:
    BertScanner(const BertModel& model, std::string_view text, std::uint32_t position,
                Output output)
        : model_(model), end_(text.data() + text.size()), at_(text.data()), position_(position),
          starter_(at_), starter_position_(position), words_(std::move(output)) {}

    /// @return the position behind the text, in code points
    std::uint32_t run() {
        while (at_ < end_) {
            if (!words_.is_empty() || !take_ascii()) take_code_point();
        }
        words_.finish();
        return position_;
    }

private:
    void advance(std::uint32_t bytes, std::uint32_t code_points) {
        at_ += bytes;
        position_ += code_points;
    }

    /// The short cut at the start of a word: a whole ASCII word, a space or punctuation.
    /// @return false, and nothing was read, if it is something else
    bool take_ascii() {
        const WordKey key = ascii_run(at_, end_, model_.lower_bit_);
        if (key.length == 0) return take_ascii_separator();
        if (key.length == WordKey::kMaxLength) return false;  // perhaps it goes on
        const char* const next = at_ + key.length;
        if (next != end_) {
            const auto byte = static_cast<unsigned char>(*next);
            if (byte >= 0x80 || !model_.ends_word_[byte]) return false;
        }
        const auto id = model_.wordpiece_.find_whole(key);
        if (id >= 0) {
            words_.output().add_token(id, position_, position_ + key.length);
        } else {
            const std::uint64_t folded[2] = {key.low, key.high};
            words_.output().add_folded_word({reinterpret_cast<const char*>(folded), key.length},
                                            position_);
        }
        advance(key.length, key.length);
        return true;
    }

    bool take_ascii_separator() {
        const auto byte = static_cast<unsigned char>(*at_);
        if (byte >= 0x80 || !model_.ends_word_[byte]) return false;
        const auto id = model_.isolated_ids_[byte];
        if (id >= 0) words_.output().add_token(id, position_, position_ + 1);  // else a space
        note_starter();
        advance(1, 1);
        return true;
    }

    void take_code_point() {
        const auto [code, length] = unicode::decode_utf8(at_, end_);
        const auto entry = model_.table_[code];
        if (entry.kind() == Kind::ordered) return take_marks();
        if (entry.kind() != Kind::removed) note_starter();
        switch (entry.kind()) {
            case Kind::removed:
            case Kind::separator: break;
            case Kind::sequence:
                for (const auto c : model_.table_.sequence(entry)) {
                    words_.add(kind_of_normalized(c), c, position_);
                }
                break;
            default: words_.add(entry.kind(), entry.applied_to(code), position_);
        }
        advance(length, 1);
    }

    /// A mark that stays: normalises the starter before it, if any, with all marks behind that, and
    /// takes what comes out after the starter, which has been taken already.
    void take_marks() {
        const bool has_starter = continues(at_);  // else it brings its own
        if (!has_starter) note_starter();
        const char* last = at_;
        do last += unicode::decode_utf8(last, end_).length;
        while (last < end_ && continues(last));

        const auto text = unicode::decode({starter_, static_cast<std::size_t>(last - starter_)});
        const auto normalized = model_.normalizer().apply(text);
        std::size_t taken = 0;
        if (has_starter && !continues_marks(model_.normalizer(), text.front())) {
            taken = model_.normalizer().apply(std::u32string_view(text).substr(0, 1)).size();
        }
        for (const auto& c : std::span(normalized).subspan(taken)) {
            words_.add(kind_of_normalized(c.code), c.code, starter_position_ + c.source);
        }
        at_ = last;
        position_ = starter_position_ + static_cast<std::uint32_t>(text.size());
        note_starter();
    }

    [[nodiscard]] bool continues(const char* p) const {
        return continues_marks(model_.normalizer(), unicode::decode_utf8(p, end_).code);
    }

    /// What is read next starts anew, as far as the order of marks goes.
    void note_starter() {
        starter_ = at_;
        starter_position_ = position_;
    }

    const BertModel& model_;
    const char* end_;
    const char* at_;
    std::uint32_t position_;
    const char* starter_;  ///< the last code point that is not one more mark; else the text's start
    std::uint32_t starter_position_;
    WordBuilder<Output> words_;
};

BertModel::BertModel(Normalizer normalizer, WordPiece wordpiece)
    : SubwordModel(std::move(normalizer)), table_(this->normalizer()),
      wordpiece_(std::move(wordpiece)),
      lower_bit_(table_[U'A'].applied_to(U'A') == U'a' ? 0x2020202020202020U : 0) {
    isolated_ids_.fill(-1);
    for (unsigned char byte = 0; byte < 128; ++byte) {
        const auto kind = table_[byte].kind();
        ends_word_[byte] = kind == Kind::space || kind == Kind::isolated;
        if (kind != Kind::isolated) continue;
        std::vector<std::int32_t> ids;
        const char character = static_cast<char>(byte);
        wordpiece_.append(std::string_view(&character, 1), ids);
        isolated_ids_[byte] = ids.front();
    }
}

void BertModel::append_ids(std::string_view text, IdSink& ids) const {
    BertScanner<IdOutput>(*this, text, 0, {wordpiece_, ids}).run();
}

void BertModel::append_pieces(std::string_view text, Pieces& pieces) const {
    const auto position = pieces.position;
    pieces.position = BertScanner<PieceOutput>(*this, text, position, {wordpiece_, pieces}).run();
}

void BertModel::append_normalized(std::span<const NormalizedCharacter> text, Pieces& pieces) const {
    WordBuilder<PieceOutput> words({wordpiece_, pieces});
    for (const auto& c : text) words.add(kind_of_normalized(c.code), c.code, c.source);
    words.finish();
}

}  // namespace unitvec
