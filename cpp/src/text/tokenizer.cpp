#include "unitvec/text/tokenizer.hpp"

#include <algorithm>
#include <stdexcept>

#include "file.hpp"
#include "tokenizer_data.hpp"
#include "truncation.hpp"
#include "unitvec/error.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

using Data = Tokenizer::Data;

/// Calls on_text(stretch) and on_token(match, end of what came before) for a text, in order.
template <typename OnText, typename OnToken>
void split(const AddedTokenFinder& finder, std::string_view text, OnText on_text,
           OnToken on_token) {
    AddedTokenFinder::Search search(finder, text);
    std::size_t done = 0;
    while (const auto match = search.next()) {
        if (match->begin > done) on_text(text.substr(done, match->begin - done));
        on_token(*match, done);
        done = match->end;
    }
    if (done < text.size()) on_text(text.substr(done));
}

/// UTF-8 of normalised characters, and for every byte which of them it belongs to.
struct NormalizedBytes {
    std::string utf8;
    std::vector<std::size_t> character;

    explicit NormalizedBytes(const NormalizedText& text) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            unicode::append_utf8(text[i].code, utf8);
            character.resize(utf8.size(), i);
        }
        character.push_back(text.size());
    }
};

std::uint32_t code_points(std::string_view text) {
    return static_cast<std::uint32_t>(unicode::count_code_points(text));
}

/// A stretch in whose normalised form added tokens are looked for too.
void append_searched(const Data& data, std::string_view text, Pieces& pieces) {
    auto normalized = data.model->normalize(text);
    for (auto& c : normalized) c.source += pieces.position;
    const NormalizedBytes bytes(normalized);
    const auto between = [&](std::size_t begin, std::size_t end) {
        const auto first = bytes.character[begin];
        return std::span(normalized).subspan(first, bytes.character[end] - first);
    };
    split(
        data.in_normalized, bytes.utf8,
        [&](std::string_view plain) {
            const auto begin = static_cast<std::size_t>(plain.data() - bytes.utf8.data());
            data.model->append_normalized(between(begin, begin + plain.size()), pieces);
        },
        [&](const AddedTokenFinder::Match& match, std::size_t) {
            const auto found = between(match.begin, match.end);
            pieces.tokens.push_back(
                {match.id, found.front().source, found.back().source + 1, pieces.words++});
        });
    pieces.position += code_points(text);
}

std::size_t length_of(const AddedTokenFinder::Match& match) {
    return match.end - match.begin;
}

/// Calls on_text(stretch) between the added tokens of `finder`; these become pieces of their own.
template <typename OnText>
void append_split(const AddedTokenFinder& finder, std::string_view text, Pieces& pieces,
                  OnText on_text) {
    split(finder, text, on_text, [&](const AddedTokenFinder::Match& match, std::size_t done) {
        const auto token = unicode::decode(text.substr(match.begin, length_of(match)));
        // White space that the token before has taken may be part of this one too.
        const auto begin =
            match.begin >= done
                ? pieces.position
                : pieces.position - code_points(text.substr(match.begin, done - match.begin));
        pieces.position = begin + static_cast<std::uint32_t>(token.size());
        const auto spaces = spaces_around(token, unicode::is_whitespace);
        pieces.tokens.push_back({match.id, begin, pieces.position, pieces.words++,
                                 static_cast<std::int32_t>(spaces.leading),
                                 static_cast<std::int32_t>(spaces.trailing)});
    });
}

Pieces pieces_of(const Data& data, std::string_view text) {
    if (text.size() >= UINT32_MAX) {
        throw_invalid("encode", "a text of less than 4 GiB",
                      std::to_string(text.size()) + " bytes");
    }
    Pieces pieces;
    pieces.tokens.reserve(text.size() / 4 + 4);  // English has four to five bytes a token
    const auto append = [&](std::string_view plain) { data.model->append_pieces(plain, pieces); };
    append_split(data.in_text, text, pieces, [&](std::string_view stretch) {
        if (data.in_normalized.is_empty()) {
            append(stretch);
        } else if (data.model->changes_text()) {
            append_searched(data, stretch, pieces);
        } else {
            append_split(data.in_normalized, stretch, pieces, append);
        }
    });
    return pieces;
}

/// Tokens that `max_length` leaves for the texts themselves.
std::size_t room_for_text(const char* function, std::size_t max_length, std::size_t special) {
    if (max_length == 0) return SIZE_MAX;
    if (max_length < special) {
        throw_invalid(function,
                      "a max_length of at least " + std::to_string(special) +
                          ", the number of special tokens",
                      std::to_string(max_length));
    }
    return max_length - special;
}

/// All windows of a text or a pair: every window of the first with every window of the second.
Encoding assemble(const Template& items, const OffsetTrimmer& trimmer, std::span<const Piece> first,
                  std::span<const Piece> second, const std::vector<Window>& first_windows,
                  const std::vector<Window>& second_windows) {
    const auto fill_with = [&](const Window& a, const Window& b) {
        return fill(items, first.subspan(a.begin, a.end - a.begin),
                    second.subspan(b.begin, b.end - b.begin), trimmer);
    };
    Encoding out = fill_with(first_windows[0], second_windows[0]);
    for (std::size_t i = 1; i < first_windows.size(); ++i) {
        for (const auto& b : second_windows) {
            out.overflowing.push_back(fill_with(first_windows[i], b));
        }
    }
    for (std::size_t i = 1; i < second_windows.size(); ++i) {
        out.overflowing.push_back(fill_with(first_windows[0], second_windows[i]));
    }
    return out;
}

}  // namespace

Tokenizer Tokenizer::from_directory(const std::filesystem::path& directory) {
    const auto has = [&](const char* file) { return is_present(directory / file); };
    const auto read = [&]() -> TokenizerParts {
        auto names = read_special_names(directory);
        if (has("tokenizer.json")) {
            return read_tokenizer_json(directory / "tokenizer.json", std::move(names));
        }
        if (has("vocab.json") && has("merges.txt")) {
            return read_vocab_json(directory, std::move(names));
        }
        return read_vocab_txt(directory, std::move(names));
    };
    auto parts = read();
    if (const auto side = stated_truncation_side(directory)) parts.truncation_side = side;
    return Tokenizer(std::make_shared<const Data>(std::move(parts)));
}

Encoding Tokenizer::encode(std::string_view text, std::optional<std::string_view> pair,
                           const EncodeOptions& options) const {
    const bool has_pair = pair.has_value();
    const auto special = options.add_special_tokens ? special_token_count(has_pair) : 0;
    const auto room = room_for_text("encode", options.max_length, special);
    const auto first = pieces_of(*data_, text);
    const auto second = has_pair ? pieces_of(*data_, *pair) : Pieces{};
    const auto [first_length, second_length] =
        kept_lengths(first.tokens.size(), second.tokens.size(), has_pair, room, options.strategy);
    const auto side = options.side.value_or(truncation_side());
    return assemble(data_->post_processor.chosen(has_pair, options.add_special_tokens),
                    data_->trimmer, first.tokens, second.tokens,
                    windows(first.tokens.size(), first_length, options.stride, side),
                    windows(second.tokens.size(), second_length, options.stride, side));
}

std::vector<Encoding> Tokenizer::encode_batch(std::span<const TextPair> texts,
                                              const EncodeOptions& options,
                                              std::size_t threads) const {
    constexpr std::size_t kGrain = 16;  // texts at a time: some ten microseconds of work
    std::vector<Encoding> out(texts.size());
    parallel_for(texts.size(), kGrain, threads, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            out[i] = encode(texts[i].first, texts[i].second, options);
        }
    });
    return out;
}

std::size_t Tokenizer::append_ids(std::string_view text, std::size_t max_length,
                                  std::vector<std::int32_t>& ids) const {
    using Kind = TemplateItem::Kind;
    const auto special = special_token_count();
    const auto room = room_for_text("append_ids", max_length, special);
    std::size_t length = 0;
    for (const auto& item : data_->post_processor.chosen(false, true)) {
        if (item.kind == Kind::special) {
            ids.push_back(item.id);
        } else {
            IdSink sink(ids, room, truncation_side());
            append_text_ids(text, sink);
            length = sink.finish();
        }
    }
    return length + special;
}

std::size_t Tokenizer::append_ids(const TextPair& pair, std::size_t max_length,
                                  std::vector<std::int32_t>& ids,
                                  std::vector<std::int32_t>& type_ids) const {
    using Kind = TemplateItem::Kind;
    const bool has_second = pair.second.has_value();
    const auto special = special_token_count(has_second);
    const auto room = room_for_text("append_ids", max_length, special);
    const auto ids_of = [&](std::string_view text, std::vector<std::int32_t>& to) {
        IdSink sink(to, room, truncation_side());
        append_text_ids(text, sink);
        return sink.finish();
    };
    std::vector<std::int32_t> first, second;
    const auto first_length = ids_of(pair.first, first);
    const auto second_length = has_second ? ids_of(*pair.second, second) : 0;
    const auto [first_kept, second_kept] = kept_lengths(first_length, second_length, has_second,
                                                        room, TruncationStrategy::longest_first);
    cut_ids(0, first_kept, truncation_side(), first);
    cut_ids(0, second_kept, truncation_side(), second);
    for (const auto& item : data_->post_processor.chosen(has_second, true)) {
        if (item.kind == Kind::special) {
            ids.push_back(item.id);
        } else {
            const auto& text = item.kind == Kind::first ? first : second;
            ids.insert(ids.end(), text.begin(), text.end());
        }
        type_ids.resize(ids.size(), item.type_id);
    }
    return first_length + second_length + special;
}

void Tokenizer::append_text_ids(std::string_view text, IdSink& ids) const {
    const auto append = [&](std::string_view plain) { data_->model->append_ids(plain, ids); };
    const auto append_token = [&](const AddedTokenFinder::Match& match, std::size_t) {
        ids.push_back(match.id);
    };
    if (data_->in_normalized.is_empty()) {
        split(data_->in_text, text, append, append_token);
    } else if (data_->model->changes_text()) {
        for (const auto& piece : pieces_of(*data_, text).tokens) ids.push_back(piece.id);
    } else {
        const auto& inner = data_->in_normalized;
        split(
            data_->in_text, text,
            [&](std::string_view stretch) { split(inner, stretch, append, append_token); },
            append_token);
    }
}

std::size_t Tokenizer::special_token_count(bool pair) const {
    return data_->post_processor.special_token_count(pair);
}

std::optional<std::int32_t> Tokenizer::token_to_id(std::string_view token) const {
    return data_->tokens.find(token);
}

std::string_view Tokenizer::id_to_token(std::int32_t id) const {
    return data_->tokens.token(id);
}

std::size_t Tokenizer::vocab_size() const {
    return data_->tokens.size();
}

std::optional<std::int32_t> Tokenizer::pad_id() const {
    return data_->pad_id;
}

std::optional<std::int32_t> Tokenizer::mask_id() const {
    return data_->mask_id;
}

TruncationSide Tokenizer::truncation_side() const {
    return data_->truncation_side;
}

bool Tokenizer::is_special(std::int32_t id) const {
    return id >= 0 && static_cast<std::size_t>(id) < vocab_size() &&
           data_->is_special[static_cast<std::size_t>(id)];
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special_tokens,
                              std::optional<bool> clean_up) const {
    std::vector<std::string_view> tokens;
    for (const auto id : ids) {
        const auto token = id_to_token(id);
        if (!skip_special_tokens || !is_special(id)) tokens.push_back(token);
    }
    return data_->decoder.decode(tokens, clean_up);
}

}  // namespace unitvec
