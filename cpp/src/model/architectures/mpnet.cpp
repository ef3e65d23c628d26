// MPNet: Song et al. 2020, https://arxiv.org/abs/2004.09297. RoBERTa's positions, no token types,
// and a bias on every attention score that depends on how far the key is from the query.
#include <algorithm>
#include <cmath>

#include "model/architectures/architecture.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kBuckets = 32;  // what the model's code uses, whatever config.json says
constexpr float kMaxDistance = 128.0F;

ModelConfig read_config(const JsonField& root) {
    auto config = read_sizes(root, {.types = ""});
    config.padding_id = 1;  // likewise
    config.relative_buckets =
        root.find("relative_attention_num_buckets")
            ? read_size(root, "relative_attention_num_buckets", kMaxDim, kBuckets)
            : kBuckets;
    return config;
}

/// The row of the table for a key `distance` tokens behind the query (negative: before it): one for
/// each of the eight nearest on either side, then eight that double their width every two rows.
/// Source: T5, Raffel et al. 2019, https://arxiv.org/abs/1910.10683, section 2.1.
std::size_t bucket_of(std::ptrdiff_t distance) {
    constexpr std::size_t kSide = kBuckets / 2;
    constexpr std::size_t kExact = kSide / 2;
    const auto n = static_cast<std::size_t>(std::abs(distance));
    const std::size_t side = distance > 0 ? kSide : 0;
    if (n < kExact) return side + n;
    const float exact = static_cast<float>(kExact);
    const float octaves = std::log(static_cast<float>(n) / exact) / std::log(kMaxDistance / exact);
    const auto further = static_cast<std::size_t>(octaves * static_cast<float>(kSide - kExact));
    return side + std::min(kExact + further, kSide - 1);
}

/// The bias for every distance, head by head.
RelativeBias spread(const AlignedVector<float>& table, const ModelConfig& c) {
    const auto reach = static_cast<std::ptrdiff_t>(c.max_positions()) - 1;
    RelativeBias bias(c.heads, c.max_positions());
    const float unscaled = std::sqrt(static_cast<float>(c.head_dim()));
    for (std::size_t head = 0; head < c.heads; ++head) {
        for (std::ptrdiff_t d = -reach; d <= reach; ++d) {
            bias.of_head(head)[d] = table[bucket_of(d) * c.heads + head] * unscaled;
        }
    }
    return bias;
}

TransformerWeights read_weights(const Safetensors& file, const ModelConfig& config) {
    const auto reader = reader_below(file, "mpnet.");
    TransformerWeights weights{.config = config};
    read_embeddings(reader, weights);
    read_layers(reader, weights,
                {.query = "attention.attn.q",
                 .key = "attention.attn.k",
                 .value = "attention.attn.v",
                 .output = "attention.attn.o",
                 .attention_norm = "attention.LayerNorm"});
    weights.relative_bias = spread(reader.read("encoder.relative_attention_bias.weight",
                                               {config.relative_buckets, config.heads}),
                                   config);
    read_pooler(reader, "pooler.dense", weights);
    return weights;
}

}  // namespace

const Architecture kMpnet{"mpnet", read_config, read_weights, {}, {.trunk = "mpnet."}};

}  // namespace unitvec
