#include "unitvec/model/batch.hpp"

#include <algorithm>

#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

void append_all(const TokenSequences& part, TokenSequences& to) {
    const std::span ids(part.input_ids), types(part.token_type_ids);
    for (std::size_t t = 0; t < part.texts(); ++t) {
        const auto begin = part.offsets[t], length = part.length(t);
        to.append(ids.subspan(begin, length), part.full_lengths[t],
                  types.empty() ? types : types.subspan(begin, length));
    }
}

/// Has `append(i, to)` append each text's ids, in parallel.
/// @param append  gives the text's full length
template <typename Append>
TokenSequences tokenize_each(std::size_t texts, std::size_t threads, Append append) {
    // Each run of texts becomes a part of its own, so that no two threads write to one array.
    constexpr std::size_t kTextsPerPart = 64;
    std::vector<TokenSequences> parts((texts + kTextsPerPart - 1) / kTextsPerPart);
    parallel_for(texts, kTextsPerPart, threads, [&](std::size_t begin, std::size_t end) {
        TokenSequences& part = parts[begin / kTextsPerPart];
        for (std::size_t i = begin; i < end; ++i) {
            part.full_lengths.push_back(append(i, part));
            part.offsets.push_back(part.input_ids.size());
        }
    });
    if (parts.size() == 1) return std::move(parts.front());
    TokenSequences all;
    for (const TokenSequences& part : parts) append_all(part, all);
    return all;
}

}  // namespace

std::size_t Batch::longest() const {
    std::size_t longest = 0;
    for (std::size_t t = 0; t < texts(); ++t) longest = std::max(longest, length(t));
    return longest;
}

void TokenSequences::append(std::span<const std::int32_t> ids, std::size_t full_length,
                            std::span<const std::int32_t> types) {
    input_ids.insert(input_ids.end(), ids.begin(), ids.end());
    token_type_ids.insert(token_type_ids.end(), types.begin(), types.end());
    offsets.push_back(input_ids.size());
    full_lengths.push_back(full_length);
}

Batch whole_batch(const TokenSequences& sequences) {
    return {.input_ids = sequences.input_ids,
            .token_type_ids = sequences.token_type_ids,
            .offsets = sequences.offsets};
}

TokenSequences tokenize(const Tokenizer& tokenizer, std::span<const std::string_view> texts,
                        std::size_t max_length, std::size_t threads) {
    return tokenize_each(texts.size(), threads, [&](std::size_t i, TokenSequences& to) {
        return tokenizer.append_ids(texts[i], max_length, to.input_ids);
    });
}

TokenSequences tokenize_pairs(const Tokenizer& tokenizer, std::span<const TextPair> pairs,
                              std::size_t max_length, std::size_t threads) {
    return tokenize_each(pairs.size(), threads, [&](std::size_t i, TokenSequences& to) {
        return tokenizer.append_ids(pairs[i], max_length, to.input_ids, to.token_type_ids);
    });
}

std::vector<TextRange> plan_batches(std::span<const std::size_t> offsets,
                                    std::size_t batch_tokens) {
    std::vector<TextRange> ranges;
    const std::size_t texts = offsets.empty() ? 0 : offsets.size() - 1;
    TextRange range;
    for (std::size_t t = 0; t < texts; ++t) {
        const bool full = offsets[t + 1] - offsets[range.first] > batch_tokens;
        if (full && t > range.first) {
            ranges.push_back({range.first, t});
            range.first = t;
        }
    }
    if (range.first < texts) ranges.push_back({range.first, texts});
    return ranges;
}

}  // namespace unitvec
