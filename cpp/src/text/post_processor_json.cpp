/// The part "post_processor" of tokenizer.json.
#include <algorithm>
#include <optional>

#include "tokenizer_json.hpp"

namespace unitvec {
namespace {

using Kind = TemplateItem::Kind;

/// What one post-processor of the file is for; of the two things one or both.
struct PostProcessing {
    std::optional<PostProcessor> processor;
    OffsetTrimming trimming;
};

/// Reads post-processors; ids are checked against the number of tokens.
class PostProcessorReader {
public:
    explicit PostProcessorReader(std::size_t tokens)
        : max_id_(static_cast<std::int64_t>(tokens) - 1) {}

    [[nodiscard]] PostProcessing read(const JsonField& field) const {
        const auto type = field.at("type");
        const auto& name = type.string();
        if (name == "TemplateProcessing") return {read_template(field), {}};
        if (name == "BertProcessing") return {PostProcessor::bert(cls(field), sep(field)), {}};
        if (name == "RobertaProcessing") {
            return {PostProcessor::roberta(cls(field), sep(field)), read_trimming(field)};
        }
        if (name == "ByteLevel") return {std::nullopt, read_trimming(field)};
        if (name == "Sequence") return read_sequence(field);
        type.fail("TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel or a Sequence");
    }

private:
    [[nodiscard]] std::int32_t id(const JsonField& field) const {
        return static_cast<std::int32_t>(field.integer(0, max_id_));
    }

    /// ["[SEP]", 102]
    [[nodiscard]] std::int32_t named_id(const JsonField& field) const {
        const auto items = field.items();
        if (items.size() != 2) field.fail("a token and its id");
        return id(items[1]);
    }

    [[nodiscard]] std::int32_t cls(const JsonField& field) const {
        return named_id(field.at("cls"));
    }
    [[nodiscard]] std::int32_t sep(const JsonField& field) const {
        return named_id(field.at("sep"));
    }

    static OffsetTrimming read_trimming(const JsonField& field) {
        return {field.boolean_or("trim_offsets", true), field.boolean_or("add_prefix_space", true)};
    }

    /// ByteLevel for the offsets and one of the others for the special tokens.
    [[nodiscard]] PostProcessing read_sequence(const JsonField& field) const {
        PostProcessing all;
        for (const auto& part : field.at("processors").items()) {
            auto next = read(part);
            if (next.processor && all.processor) part.fail("one post-processor for special tokens");
            if (next.processor) all.processor = std::move(next.processor);
            if (next.trimming.is_on) all.trimming = next.trimming;
        }
        return all;
    }

    [[nodiscard]] PostProcessor read_template(const JsonField& field) const {
        const auto special = field.at("special_tokens");
        auto single = read_items(field.at("single"), special);
        auto pair = read_items(field.at("pair"), special);
        require_texts(field.at("single"), single, 1, 0);
        require_texts(field.at("pair"), pair, 1, 1);
        return {std::move(single), std::move(pair)};
    }

    [[nodiscard]] Template read_items(const JsonField& list, const JsonField& special) const {
        Template items;
        for (const auto& field : list.items()) {
            if (const auto token = field.find("SpecialToken")) {
                const auto type_id = read_type_id(*token);
                const auto ids = special.at(token->at("id").string()).at("ids");
                for (const auto& i : ids.items()) items.push_back({Kind::special, id(i), type_id});
            } else {
                const auto text = field.at("Sequence");
                const auto name = text.at("id").string();
                if (name != "A" && name != "B") text.at("id").fail("\"A\" or \"B\"");
                items.push_back({name == "A" ? Kind::first : Kind::second, 0, read_type_id(text)});
            }
        }
        return items;
    }

    static std::int32_t read_type_id(const JsonField& field) {
        return static_cast<std::int32_t>(field.at("type_id").integer(0, INT32_MAX));
    }

    static void require_texts(const JsonField& field, const Template& items, int first,
                              int second) {
        if (std::ranges::count(items, Kind::first, &TemplateItem::kind) != first ||
            std::ranges::count(items, Kind::second, &TemplateItem::kind) != second) {
            field.fail(second == 0 ? "the text A once and no text B" : "the texts A and B once");
        }
    }

    std::int64_t max_id_;
};

}  // namespace

void read_post_processor(const JsonField& root, std::size_t tokens, TokenizerParts& parts) {
    const auto field = root.find("post_processor");
    if (!field) return;
    auto read = PostProcessorReader(tokens).read(*field);
    if (read.processor) parts.post_processor = std::move(*read.processor);
    parts.trimming = read.trimming;
}

}  // namespace unitvec
