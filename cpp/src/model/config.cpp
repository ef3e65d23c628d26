#include "unitvec/model/config.hpp"

#include <algorithm>

#include "json.hpp"
#include "model/architectures/architecture.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

const Architecture& architecture_of(const JsonField& type) {
    const auto& all = architectures();
    const auto found = std::ranges::find(all, type.string(), &Architecture::model_type);
    if (found == all.end()) {
        std::string names;
        for (const auto& name : supported_model_types()) {
            names.append(names.empty() ? "" : ", ").append(name);
        }
        type.fail("a supported model type (" + names + ")");
    }
    return *found;
}

}  // namespace

DType dtype_from_name(std::string_view name) {
    for (const DType dtype : {DType::float32, DType::bfloat16, DType::int8}) {
        if (unitvec::name(dtype) == name) return dtype;
    }
    throw_invalid("dtype", "float32, bfloat16 or int8", name);
}

std::string_view name(DType dtype) {
    switch (dtype) {
        case DType::bfloat16: return "bfloat16";
        case DType::int8: return "int8";
        case DType::float32: break;
    }
    return "float32";
}

std::vector<std::string> supported_model_types() {
    std::vector<std::string> names;
    for (const auto& architecture : architectures()) names.emplace_back(architecture.model_type);
    return names;
}

ModelConfig load_config(const std::filesystem::path& directory) {
    const auto root = JsonField::parse_file(directory / "config.json");
    const auto& architecture = architecture_of(root.at("model_type"));
    auto config = architecture.read_config(root);
    config.model_type = architecture.model_type;
    if (root.string_or("position_embedding_type", "absolute") != "absolute") {
        root.at("position_embedding_type").fail("\"absolute\"");
    }
    constexpr std::size_t kShortest = 3;  // a token between [CLS] and [SEP]
    const auto first = static_cast<std::size_t>(config.padding_id.value_or(-1) + 1);
    if (config.positions < first + kShortest) {
        root.at("max_position_embeddings")
            .fail("at least " + std::to_string(first + kShortest) + " positions" +
                  (first > 0 ? ", since they count from behind the padding token's id" : ""));
    }
    return config;
}

}  // namespace unitvec
