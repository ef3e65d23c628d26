#pragma once
/// Puts special tokens around texts: [CLS] A [SEP] B [SEP].
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "offset_trimmer.hpp"
#include "subword_model.hpp"
#include "unitvec/text/encoding.hpp"

namespace unitvec {

/// What an encoding is put together from, in order.
struct TemplateItem {
    enum class Kind { special, first, second };
    Kind kind;
    std::int32_t id = 0;       ///< of a special token
    std::int32_t type_id = 0;  ///< of this token, or of all tokens of the text
};

using Template = std::vector<TemplateItem>;

/// The templates of a model, and the same without special tokens. Immutable.
class PostProcessor {
public:
    /// No special tokens; types 0 and 1.
    PostProcessor();
    /// @param single  holds the first text once
    /// @param pair    holds both texts once
    PostProcessor(Template single, Template pair);

    /// BERT's way: cls A sep, and cls A sep B sep with type 1 from B on.
    static PostProcessor bert(std::int32_t cls, std::int32_t sep);
    /// RoBERTa's way, which MPNet shares: cls A sep sep B sep for a pair, and no types.
    static PostProcessor roberta(std::int32_t cls, std::int32_t sep);

    [[nodiscard]] std::size_t special_token_count(bool pair) const;
    [[nodiscard]] const Template& chosen(bool pair, bool add_special_tokens) const;

private:
    Template single_, pair_, plain_single_, plain_pair_;
};

/// Puts tokens into the places of a template.
[[nodiscard]] Encoding fill(const Template& items, std::span<const Piece> first,
                            std::span<const Piece> second, const OffsetTrimmer& trimmer);

}  // namespace unitvec
