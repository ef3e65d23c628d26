#include "json.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "unitvec/model/config.hpp"

using namespace unitvec;

namespace {

nlohmann::json valid() {
    return {{"model_type", "bert"},          {"vocab_size", 100},        {"hidden_size", 24},
            {"num_hidden_layers", 2},        {"num_attention_heads", 4}, {"intermediate_size", 48},
            {"max_position_embeddings", 64}, {"type_vocab_size", 2},     {"layer_norm_eps", 1e-12},
            {"hidden_act", "gelu"}};
}

ModelConfig load(const nlohmann::json& json) {
    const TemporaryFolder folder;
    (void)folder.write("config.json", json.dump());
    return load_config(folder.path());
}

}  // namespace

TEST_CASE("config.json gives the sizes", "[config]") {
    const auto config = load(valid());
    CHECK(config.model_type == "bert");
    CHECK(config.dim == 24);
    CHECK(config.head_dim() == 6);
    CHECK(config.activation == Activation::gelu);
    auto json = valid();
    json["hidden_act"] = "gelu_new";
    CHECK(load(json).activation == Activation::gelu_tanh);
}

TEST_CASE("each field of config.json is checked by name", "[config]") {
    for (const std::string field :
         {"model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
          "intermediate_size", "max_position_embeddings", "type_vocab_size"}) {
        auto json = valid();
        json.erase(field);
        CHECK_THROWS_WITH(load(json), ContainsSubstring("\"" + field + "\""));
        for (const nlohmann::json& wrong :
             {nlohmann::json(0), nlohmann::json(-1), nlohmann::json(1.5), nlohmann::json("x"),
              nlohmann::json::array(), nlohmann::json(1e300), nlohmann::json(1LL << 60)}) {
            json[field] = wrong;
            CHECK_THROWS_WITH(load(json), ContainsSubstring(field));
        }
    }
}

TEST_CASE("what is not supported is refused with the list of what is", "[config]") {
    auto json = valid();
    json["model_type"] = "gpt2";
    CHECK_THROWS_WITH(load(json),
                      ContainsSubstring("supported model type (bert, distilbert, roberta"));
    json = valid();
    json["hidden_act"] = "silu";
    CHECK_THROWS_WITH(load(json), ContainsSubstring("gelu_new"));
    json = valid();
    json["position_embedding_type"] = "relative_key";
    CHECK_THROWS_WITH(load(json), ContainsSubstring("position_embedding_type"));
    json = valid();
    json["num_attention_heads"] = 5;
    CHECK_THROWS_WITH(load(json), ContainsSubstring("a divisor of the width 24"));
    json = valid();
    json["max_position_embeddings"] = 2;
    CHECK_THROWS_WITH(load(json), ContainsSubstring("at least 3 positions"));
    json = valid();
    for (const double eps : {0.0, -1e-12, 1.0, 1e-60, 1e308}) {  // 1e-60 is 0 as a float
        json["layer_norm_eps"] = eps;
        CHECK_THROWS_WITH(load(json), ContainsSubstring("layer_norm_eps"));
    }
}
