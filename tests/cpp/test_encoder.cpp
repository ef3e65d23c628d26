#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/random.hpp"
#include "support/tiny_bert.hpp"
#include "unitvec/error.hpp"
#include "unitvec/model/encoder.hpp"

using namespace unitvec;

namespace {

/// Texts of the given lengths with seeded ids, end to end.
TokenSequences random_texts(const std::vector<std::size_t>& lengths, std::size_t vocab) {
    TokenSequences sequences;
    std::uint64_t seed = 1;
    for (const std::size_t n : lengths) {
        std::vector<std::int32_t> ids;
        for (const float x : random_floats(n, seed++)) {
            ids.push_back(static_cast<std::int32_t>((x + 1.0F) / 2.0F * static_cast<float>(vocab)));
        }
        sequences.append(ids, n);
    }
    return sequences;
}

std::unique_ptr<TransformerEncoder> load(const TinyBert& model, const std::string& prefix = "",
                                         DType dtype = DType::float32) {
    const TemporaryFolder folder;
    model.save(folder.path(), prefix);
    return TransformerEncoder::load(folder.path(), dtype);
}

double largest_difference(const Matrix& a, const std::vector<double>& b, std::size_t from = 0) {
    double worst = 0.0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        worst = std::max(worst, std::abs(a.data()[from + i] - b[i]));
    }
    return worst;
}

}  // namespace

TEST_CASE("every layer agrees with the formulas, with and without a name prefix", "[encoder]") {
    const TinyBert model(7);
    const std::string prefix = GENERATE("", "bert.");
    const auto encoder = load(model, prefix);
    const auto sequences = random_texts({5, 1, 20, 2}, model.vocab);
    std::vector<std::int32_t> types;
    for (std::size_t i = 0; i < sequences.input_ids.size(); ++i) types.push_back(i % 3 == 0);
    const Batch batch{sequences.input_ids, types, sequences.offsets};
    const auto states = encoder->hidden_states(batch, 2);
    REQUIRE(states.size() == model.layers + 1);
    for (std::size_t t = 0; t < batch.texts(); ++t) {
        const auto begin = static_cast<std::ptrdiff_t>(batch.offsets[t]);
        const auto end = static_cast<std::ptrdiff_t>(batch.offsets[t + 1]);
        const auto expected = model.hidden_states(
            {sequences.input_ids.begin() + begin, sequences.input_ids.begin() + end},
            {types.begin() + begin, types.begin() + end});
        for (std::size_t layer = 0; layer < states.size(); ++layer) {
            INFO("text " << t << ", layer " << layer);
            CHECK(largest_difference(states[layer], expected[layer], batch.offsets[t] * model.dim) <
                  1e-5);
        }
    }
}

TEST_CASE("checkpoints with gamma and beta load as those with weight and bias", "[encoder]") {
    const TinyBert model(3);
    TinyBert old = model;
    for (const auto& [name, tensor] : model.tensors) {
        const auto at = name.find("LayerNorm.");
        if (at == std::string::npos) continue;
        old.tensors.erase(name);
        const bool weight = name.ends_with("weight");
        old.tensors[name.substr(0, at) + (weight ? "LayerNorm.gamma" : "LayerNorm.beta")] = tensor;
    }
    const auto sequences = random_texts({4}, model.vocab);
    const auto a = load(model)->token_embeddings(whole_batch(sequences), 1);
    const auto b = load(old)->token_embeddings(whole_batch(sequences), 1);
    CHECK(std::equal(a.data(), a.data() + a.view().size(), b.data()));
}

TEST_CASE("a text has the same bits alone, in any batch, at any number of threads", "[encoder]") {
    const TinyBert model(11);
    const auto encoder = load(model, "", GENERATE(DType::float32, DType::bfloat16, DType::int8));
    const auto texts = random_texts({3, 20, 1, 7, 20, 2, 9, 16, 5}, model.vocab);
    EmbedOptions options;
    options.threads = GENERATE(1u, 2u, 3u);
    options.batch_tokens = GENERATE(1u, 8u, 30u, 1000u);
    options.pooling.modes = {GENERATE(Pooling::cls, Pooling::mean, Pooling::max)};
    const Matrix together = embed(*encoder, texts, options);
    for (std::size_t t = 0; t < texts.texts(); ++t) {
        TokenSequences alone;
        alone.append(std::span(texts.input_ids).subspan(texts.offsets[t], texts.length(t)), 0);
        const Matrix vector = embed(*encoder, alone, options);
        CHECK(std::ranges::equal(vector.row(0), together.row(t)));
    }
}

TEST_CASE("embed pools what embed_tokens gives, and normalises on request", "[encoder]") {
    const TinyBert model(5);
    const auto encoder = load(model);
    const auto texts = random_texts({3, 4}, model.vocab);
    EmbedOptions options;
    options.normalize = false;
    const Matrix tokens = embed_tokens(*encoder, texts, options);
    Matrix pooled(2, model.dim);
    pool(tokens.view(), texts.offsets, {{Pooling::mean}}, pooled.view());
    const Matrix vectors = embed(*encoder, texts, options);
    CHECK(std::equal(vectors.data(), vectors.data() + vectors.view().size(), pooled.data()));
    options.normalize = true;
    const Matrix unit = embed(*encoder, texts, options);
    double length = 0.0;
    for (const float x : unit.row(1)) length += static_cast<double>(x) * x;
    CHECK_THAT(length, WithinAbs(1.0, 1e-6));
}

TEST_CASE("progress is told on the calling thread and may stop the work", "[encoder]") {
    const TinyBert model(5);
    const auto encoder = load(model);
    const auto texts = random_texts(std::vector<std::size_t>(50, 4), model.vocab);
    EmbedOptions options;
    options.batch_tokens = 8;
    options.threads = GENERATE(1u, 2u);
    std::vector<std::size_t> done;
    options.on_progress = [&, caller = std::this_thread::get_id()](std::size_t n) {
        CHECK(std::this_thread::get_id() == caller);
        done.push_back(n);
    };
    (void)embed(*encoder, texts, options);
    CHECK(std::ranges::is_sorted(done));
    CHECK(done.back() == 50);
    for (const std::size_t threads : {1U, 2U, 3U}) {  // it stops them all, inside a batch
        int calls = 0;
        EmbedOptions stopped;
        stopped.threads = threads;
        stopped.batch_tokens = 8;
        stopped.between_layers = [&] {
            if (++calls == 2) throw std::runtime_error("stop here");
        };
        try {
            (void)embed(*encoder, texts, stopped);
            CHECK((threads > 1 && calls < 2));  // the others may have done it all
        } catch (const std::runtime_error& e) {
            CHECK(std::string(e.what()) == "stop here");
            CHECK(calls == 2);
        }
    }
    options.on_progress = [](std::size_t) { throw std::runtime_error("stop"); };
    CHECK_THROWS_WITH(embed(*encoder, texts, options), "stop");
}

TEST_CASE("every batch of a text's run gets its own token types", "[encoder]") {
    const TinyBert model(9);
    const auto encoder = load(model);
    TokenSequences texts;
    const std::vector<std::int32_t> ids{3, 4, 5, 6}, types{0, 0, 1, 1}, zeros{0, 0, 0, 0};
    for (std::size_t i = 0; i < 6; ++i) texts.append(ids, 4, i % 2 == 0 ? types : zeros);
    EmbedOptions options;
    options.batch_tokens = GENERATE(0u, 8u, 4u);
    const Matrix tokens = embed_tokens(*encoder, texts, options);
    for (std::size_t i = 0; i < 6; ++i) {
        const auto expected = model.hidden_states(ids, i % 2 == 0 ? types : zeros).back();
        const auto* mine = tokens.row(texts.offsets[i]).data();
        for (std::size_t c = 0; c < expected.size(); ++c) {
            CHECK_THAT(mine[c], WithinAbs(expected[c], 1e-5));
        }
    }
}

TEST_CASE("a model with one token type does not look at types", "[encoder]") {
    const TemporaryFolder folder;
    TinyBert model(9);
    model.types = 1;
    auto& table = model.tensors.at("embeddings.token_type_embeddings.weight");
    table = {{1, model.dim}, random_floats(model.dim, 3)};
    model.save(folder.path());
    const auto encoder = TransformerEncoder::load(folder.path());
    const std::vector<std::int32_t> ids{3, 4, 5}, types{0, 1, 1};
    const std::vector<std::size_t> offsets{0, 3};
    const Matrix with = encoder->token_embeddings({ids, types, offsets}, 1);
    const Matrix without = encoder->token_embeddings({ids, {}, offsets}, 1);
    CHECK(std::ranges::equal(with.row(2), without.row(2)));
}

TEST_CASE("no texts, and texts without tokens, are defined", "[encoder]") {
    const TinyBert model(5);
    const auto encoder = load(model);
    CHECK(embed(*encoder, TokenSequences{}, {}).rows() == 0);
    TokenSequences empty;
    empty.append({}, 0);
    const Matrix vector = embed(*encoder, empty, {});
    CHECK(std::ranges::all_of(vector.row(0), [](float x) { return x == 0.0F; }));
    CHECK(encoder->hidden_states({{}, {}, empty.offsets}, 1).size() == model.layers + 1);
}

TEST_CASE("ids, types and lengths that the model does not have are refused", "[encoder]") {
    const TinyBert model(5);
    const auto encoder = load(model);
    const std::vector<std::size_t> offsets{0, 2};
    const std::vector<std::int32_t> good{1, 2}, high{1, 50}, negative{-1, 2}, types{0, 2};
    CHECK_THROWS_WITH(encoder->token_embeddings({high, {}, offsets}, 1),
                      "[encode] expected token ids in [0, 50), got 50");
    CHECK_THROWS_AS(encoder->token_embeddings({negative, {}, offsets}, 1), std::invalid_argument);
    CHECK_THROWS_WITH(encoder->token_embeddings({good, types, offsets}, 1),
                      "[encode] expected token types in [0, 2), got 2");
    const auto longer = random_texts({21}, model.vocab);
    CHECK_THROWS_WITH(encoder->token_embeddings(whole_batch(longer), 1),
                      "[encode] expected at most 20 tokens a text, got 21 in text 0");
}

TEST_CASE("a checkpoint that does not fit its config is refused by tensor", "[encoder]") {
    TinyBert model(5);
    auto& query = model.tensors["encoder.layer.1.attention.self.query.weight"];
    query.shape = {model.dim / 2, model.dim * 2};
    CHECK_THROWS_WITH(load(model),
                      ContainsSubstring("encoder.layer.1.attention.self.query.weight") &&
                          ContainsSubstring("expected shape (24, 24)") &&
                          ContainsSubstring("got (12, 48)"));
    model.tensors.erase("encoder.layer.1.attention.self.query.weight");
    CHECK_THROWS_AS(load(model), FormatError);
}
