#include "unitvec/model/torchscript.hpp"

#include <torch/csrc/jit/api/module.h>

#include <vector>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "unitvec/error.hpp"

using namespace unitvec;

namespace {

/// A module whose token vectors are (id, mask, position), saved as a TorchScript file.
std::filesystem::path save_module(const TemporaryFolder& folder, const std::string& arguments,
                                  const std::string& result) {
    torch::jit::Module module("Tiny");
    module.define("def forward(self, " + arguments + "):\n" +
                  "  p = torch.arange(ids.size(1)).expand_as(ids)\n" +
                  "  v = torch.stack([ids, mask, p], 2).to(6)\n" + "  return " + result + "\n");
    const auto path = folder.path() / "model.pt";
    module.save(path.string());
    return path;
}

const std::vector<std::int32_t> kIds{7, 8, 9, 5};
const std::vector<std::size_t> kOffsets{0, 3, 4};

}  // namespace

TEST_CASE("a TorchScript module's token vectors come back unpadded", "[torchscript]") {
    const TemporaryFolder folder;
    const std::string result = GENERATE("v", "(v, mask)", "{\"last_hidden_state\": v}", "[v, v]");
    INFO(result);
    const auto encoder = TorchScriptEncoder::load(save_module(folder, "ids, mask", result));
    CHECK(encoder->dim() == 3);
    const Matrix vectors = encoder->token_embeddings({kIds, {}, kOffsets}, 1);
    const std::vector<float> expected{7, 1, 0, 8, 1, 1, 9, 1, 2, 5, 1, 0};
    CHECK(std::vector<float>(vectors.data(), vectors.data() + 12) == expected);
}

TEST_CASE("token types are passed to a module that takes them", "[torchscript]") {
    const TemporaryFolder folder;
    const auto path = save_module(folder, "ids, mask, types", "v + types.unsqueeze(2)");
    const std::vector<std::int32_t> types{0, 10, 0, 20};
    const Matrix vectors =
        TorchScriptEncoder::load(path)->token_embeddings({kIds, types, kOffsets}, 1);
    CHECK(vectors.row(1)[0] == 18.0F);
    CHECK(vectors.row(3)[0] == 25.0F);
}

TEST_CASE("a module that pools gives text vectors in the order of the texts", "[torchscript]") {
    const TemporaryFolder folder;
    const auto path = save_module(folder, "ids, mask", "{\"text_embeds\": v.sum(1)}");
    TokenSequences texts;
    texts.append(kIds, 4);
    texts.append({}, 0);
    texts.append(std::span(kIds).first(1), 1);
    std::vector<std::size_t> done;
    const Matrix vectors = TorchScriptTextEncoder::load(path, {.padding_id = 100, .pad_to = 5})
                               ->embed(texts, 1, [&](std::size_t n) { done.push_back(n); });
    const std::vector<float> expected{129, 4, 10, 500, 0, 10, 407, 1, 10};  // ids, mask, positions
    CHECK(std::vector<float>(vectors.data(), vectors.data() + 9) == expected);
    CHECK(done == std::vector<std::size_t>{3});
    const auto short_texts = TorchScriptTextEncoder::load(path, {.pad_to = 3});
    CHECK_THROWS_WITH(short_texts->embed(texts, 1), ContainsSubstring("at most 3 tokens"));
    CHECK_THROWS_WITH(TorchScriptEncoder::load(path), ContainsSubstring("got no tensor"));
}

TEST_CASE("token types are passed to a module that pools", "[torchscript]") {
    const TemporaryFolder folder;
    const auto path = save_module(folder, "ids, mask, types", "(v + types.unsqueeze(2)).sum(1)");
    const std::vector<std::int32_t> types{0, 10, 0, 20};
    TokenSequences texts;
    texts.append(std::span(kIds).first(3), 3, std::span(types).first(3));
    texts.append(std::span(kIds).last(1), 1, std::span(types).last(1));
    const Matrix vectors = TorchScriptTextEncoder::load(path, {.pad_to = 3})->embed(texts, 1);
    CHECK(vectors.row(0)[0] == 34.0F);  // 7 + 8 + 9, and 10
    CHECK(vectors.row(1)[0] == 25.0F);  // 5, and 20
}

TEST_CASE("what is no TorchScript encoder is a FormatError", "[torchscript]") {
    const TemporaryFolder folder;
    CHECK_THROWS_AS(TorchScriptEncoder::load(folder.write("x.pt", "not a module")), FormatError);
    CHECK_THROWS_AS(TorchScriptEncoder::load(folder.path() / "absent.pt"), FormatError);
    CHECK_THROWS_WITH(TorchScriptEncoder::load(save_module(folder, "ids, mask", "v.sum(2)")),
                      ContainsSubstring("(batch, seq_len, dim)"));
    torch::jit::Module module("One");
    module.define("def forward(self, ids):\n  return ids\n");
    module.save((folder.path() / "one.pt").string());
    CHECK_THROWS_WITH(TorchScriptEncoder::load(folder.path() / "one.pt"),
                      ContainsSubstring("got 1 argument(s)"));
}
