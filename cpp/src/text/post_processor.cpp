#include "post_processor.hpp"

#include <algorithm>

namespace unitvec {
namespace {

using Kind = TemplateItem::Kind;

Template without_special(Template items) {
    std::erase_if(items, [](const TemplateItem& item) { return item.kind == Kind::special; });
    return items;
}

void reserve(Encoding& encoding, std::size_t n) {
    encoding.ids.reserve(n);
    encoding.type_ids.reserve(n);
    encoding.attention_mask.reserve(n);
    encoding.special_tokens_mask.reserve(n);
    encoding.offsets.reserve(n);
    encoding.word_ids.reserve(n);
    encoding.sequence_ids.reserve(n);
}

void append_special(Encoding& to, const TemplateItem& item) {
    to.ids.push_back(item.id);
    to.type_ids.push_back(item.type_id);
    to.attention_mask.push_back(1);
    to.special_tokens_mask.push_back(1);
    to.offsets.push_back({});
    to.word_ids.push_back(-1);
    to.sequence_ids.push_back(-1);
}

void append_text(Encoding& to, const TemplateItem& item, std::span<const Piece> text,
                 const OffsetTrimmer& trimmer) {
    const auto before = to.ids.size();
    for (const auto& piece : text) {
        to.ids.push_back(piece.id);
        to.offsets.push_back({piece.begin, piece.end});
        to.word_ids.push_back(static_cast<std::int32_t>(piece.word));
    }
    trimmer.trim(text, std::span(to.offsets).subspan(before));
    const auto size = to.ids.size();
    to.type_ids.resize(size, item.type_id);
    to.attention_mask.resize(size, 1);
    to.special_tokens_mask.resize(size, 0);
    to.sequence_ids.resize(size, item.kind == Kind::first ? 0 : 1);
}

}  // namespace

PostProcessor::PostProcessor()
    : PostProcessor({{Kind::first}}, {{Kind::first}, {Kind::second, 0, 1}}) {}

PostProcessor::PostProcessor(Template single, Template pair)
    : single_(std::move(single)), pair_(std::move(pair)), plain_single_(without_special(single_)),
      plain_pair_(without_special(pair_)) {}

PostProcessor PostProcessor::bert(std::int32_t cls, std::int32_t sep) {
    return {{{Kind::special, cls}, {Kind::first}, {Kind::special, sep}},
            {{Kind::special, cls},
             {Kind::first},
             {Kind::special, sep},
             {Kind::second, 0, 1},
             {Kind::special, sep, 1}}};
}

PostProcessor PostProcessor::roberta(std::int32_t cls, std::int32_t sep) {
    return {{{Kind::special, cls}, {Kind::first}, {Kind::special, sep}},
            {{Kind::special, cls},
             {Kind::first},
             {Kind::special, sep},
             {Kind::special, sep},
             {Kind::second},
             {Kind::special, sep}}};
}

std::size_t PostProcessor::special_token_count(bool pair) const {
    return static_cast<std::size_t>(
        std::ranges::count(pair ? pair_ : single_, Kind::special, &TemplateItem::kind));
}

const Template& PostProcessor::chosen(bool pair, bool add_special_tokens) const {
    if (add_special_tokens) return pair ? pair_ : single_;
    return pair ? plain_pair_ : plain_single_;
}

Encoding fill(const Template& items, std::span<const Piece> first, std::span<const Piece> second,
              const OffsetTrimmer& trimmer) {
    Encoding out;
    reserve(out, first.size() + second.size() + items.size());
    for (const auto& item : items) {
        switch (item.kind) {
            case Kind::special: append_special(out, item); break;
            case Kind::first: append_text(out, item, first, trimmer); break;
            case Kind::second: append_text(out, item, second, trimmer); break;
        }
    }
    return out;
}

}  // namespace unitvec
