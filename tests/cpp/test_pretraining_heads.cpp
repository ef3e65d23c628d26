#include "unitvec/model/pretraining_heads.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/random.hpp"
#include "support/tiny_bert.hpp"
#include "unitvec/error.hpp"

using namespace unitvec;

namespace {

constexpr std::size_t kDim = 6;
constexpr std::size_t kVocab = 7;

/// What a model type calls the layers, and how wide the table of words is.
struct Case {
    std::string model_type, trunk, dense, norm, decoder, bias;
    std::size_t width = kDim;
};

const std::vector<Case> kCases{
    {"bert", "bert.", "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm",
     "cls.predictions.decoder", "cls.predictions.bias"},
    {"distilbert", "distilbert.", "vocab_transform", "vocab_layer_norm", "vocab_projector",
     "vocab_projector.bias"},
    {"roberta", "roberta.", "lm_head.dense", "lm_head.layer_norm", "lm_head.decoder",
     "lm_head.bias"},
    {"mpnet", "mpnet.", "lm_head.dense", "lm_head.layer_norm", "lm_head.decoder", "lm_head.bias"},
    {"electra", "electra.", "generator_predictions.dense", "generator_predictions.LayerNorm",
     "generator_lm_head", "generator_lm_head.bias", 4},
    {"albert", "albert.", "predictions.dense", "predictions.LayerNorm", "predictions.decoder",
     "predictions.bias", 4},
};

std::string config(const Case& c, bool tied) {
    return R"({"model_type": ")" + c.model_type +
           R"(", "vocab_size": 7, "type_vocab_size": 1, "max_position_embeddings": 9,
               "hidden_size": 6, "num_hidden_layers": 1, "num_attention_heads": 2,
               "intermediate_size": 8, "hidden_act": "gelu", "embedding_size": )" +
           std::to_string(c.width) +
           R"(, "dim": 6, "n_layers": 1, "n_heads": 2, "hidden_dim": 8, "tie_word_embeddings": )" +
           (tied ? "true}" : "false}");
}

Tensors head_of(const Case& c, bool tied) {
    Tensors tensors{
        {c.dense + ".weight", {{c.width, kDim}, random_floats(c.width * kDim, 1)}},
        {c.dense + ".bias", {{c.width}, random_floats(c.width, 2)}},
        {c.norm + ".weight", {{c.width}, random_floats(c.width, 3)}},
        {c.norm + ".bias", {{c.width}, random_floats(c.width, 4)}},
        {c.trunk + "embeddings.word_embeddings.weight",
         {{kVocab, c.width}, random_floats(kVocab * c.width, 5)}},
        {c.bias, {{kVocab}, random_floats(kVocab, 6)}},
    };
    if (!tied) {
        tensors[c.decoder + ".weight"] = {{kVocab, c.width}, random_floats(kVocab * c.width, 7)};
        tensors[c.decoder + ".bias"] = {{kVocab}, random_floats(kVocab, 8)};
    }
    return tensors;
}

void save(const TemporaryFolder& folder, const Case& c, bool tied, const Tensors& tensors) {
    save_tensors(tensors, folder.path());
    (void)folder.write("config.json", config(c, tied));
}

using Doubles = std::vector<double>;

Doubles linear(const Tensor& weight, const Tensor& bias, const Doubles& x) {
    Doubles y;
    for (const float b : bias.values) {
        double sum = b;
        for (std::size_t i = 0; i < x.size(); ++i) {
            sum += static_cast<double>(weight.values[y.size() * x.size() + i]) * x[i];
        }
        y.push_back(sum);
    }
    return y;
}

/// The head's formula in double.
Doubles expected(const Case& c, bool tied, const Tensors& t, std::span<const float> x) {
    auto h = linear(t.at(c.dense + ".weight"), t.at(c.dense + ".bias"), {x.begin(), x.end()});
    for (double& v : h) v = 0.5 * v * (1.0 + std::erf(v / std::sqrt(2.0)));
    const double n = static_cast<double>(h.size());
    const double mean = std::accumulate(h.begin(), h.end(), 0.0) / n;
    double variance = 0;
    for (const double v : h) variance += (v - mean) * (v - mean) / n;
    for (std::size_t i = 0; i < h.size(); ++i) {
        h[i] = (h[i] - mean) / std::sqrt(variance + 1e-12) * t.at(c.norm + ".weight").values[i] +
               t.at(c.norm + ".bias").values[i];
    }
    if (tied) return linear(t.at(c.trunk + "embeddings.word_embeddings.weight"), t.at(c.bias), h);
    return linear(t.at(c.decoder + ".weight"), t.at(c.decoder + ".bias"), h);
}

}  // namespace

TEST_CASE("the head for masked words follows its formula in every architecture", "[heads]") {
    const auto& c = kCases[GENERATE(0u, 1u, 2u, 3u, 4u, 5u)];
    const bool tied = GENERATE(true, false);
    INFO(c.model_type << (tied ? ", tied" : ", untied"));
    const TemporaryFolder folder;
    const Tensors tensors = head_of(c, tied);
    save(folder, c, tied, tensors);
    const auto head = MaskedWordHead::load(folder.path());
    CHECK(head.dim() == kDim);
    CHECK(head.vocab_size() == kVocab);
    const auto values = random_floats(5 * kDim, 9);
    const MatrixView<const float> x{values.data(), 5, kDim};
    const Matrix y = head(x, 2);
    for (std::size_t r = 0; r < 5; ++r) {
        const auto row = expected(c, tied, tensors, x.row(r));
        for (std::size_t w = 0; w < kVocab; ++w) CHECK_THAT(y.row(r)[w], WithinAbs(row[w], 1e-4));
        CHECK(std::ranges::equal(head(x.middle_rows(r, 1), 1).row(0), y.row(r)));
    }
    CHECK(head({nullptr, 0, kDim}, 1).rows() == 0);
    CHECK_THROWS_WITH(head({values.data(), 1, kDim - 1}, 1), ContainsSubstring("[MaskedWordHead]"));
}

TEST_CASE("a checkpoint without a layer of the head is refused by name", "[heads]") {
    const auto& c = kCases[GENERATE(0u, 1u, 2u, 5u)];
    for (const auto& missing : {c.dense + ".weight", c.norm + ".bias", c.bias,
                                c.trunk + "embeddings.word_embeddings.weight"}) {
        const TemporaryFolder folder;
        Tensors tensors = head_of(c, true);
        tensors.erase(missing);
        save(folder, c, true, tensors);
        INFO(missing);
        CHECK_THROWS_AS(MaskedWordHead::load(folder.path()), FormatError);
    }
    const TemporaryFolder folder;
    save(folder, c, false, head_of(c, true));
    CHECK_THROWS_WITH(MaskedWordHead::load(folder.path()), ContainsSubstring(c.decoder));
}

TEST_CASE("the head for next sentences is one linear layer", "[heads]") {
    const TemporaryFolder folder;
    Tensors tensors{{"cls.seq_relationship.weight", {{2, kDim}, random_floats(2 * kDim, 1)}},
                    {"cls.seq_relationship.bias", {{2}, random_floats(2, 2)}}};
    save(folder, kCases[0], true, tensors);
    const auto head = NextSentenceHead::load(folder.path());
    CHECK(head.dim() == kDim);
    const auto values = random_floats(3 * kDim, 3);
    const MatrixView<const float> x{values.data(), 3, kDim};
    const Matrix y = head(x, 1);
    for (std::size_t r = 0; r < 3; ++r) {
        const auto row =
            linear(tensors["cls.seq_relationship.weight"], tensors["cls.seq_relationship.bias"],
                   {x.row(r).begin(), x.row(r).end()});
        for (std::size_t i = 0; i < 2; ++i) CHECK_THAT(y.row(r)[i], WithinAbs(row[i], 1e-5));
    }
    tensors["cls.seq_relationship.weight"] = {{3, kDim}, random_floats(3 * kDim, 1)};
    save(folder, kCases[0], true, tensors);
    CHECK_THROWS_WITH(NextSentenceHead::load(folder.path()),
                      ContainsSubstring("cls.seq_relationship.weight"));
}
