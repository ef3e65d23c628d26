/// Any bytes as config.json: sizes that fit each other, or a FormatError.
#include <cstdint>

#include "support.hpp"
#include "unitvec/model/config.hpp"

using namespace unitvec;

namespace {

void check(const ModelConfig& c) {
    using fuzz::require;
    const auto types = supported_model_types();
    require(std::ranges::find(types, c.model_type) != types.end(), "a known model type");
    require(c.vocab_size > 0 && c.embedding_dim > 0 && c.intermediate > 0, "no table is empty");
    require(c.heads > 0 && c.head_dim() * c.heads == c.dim, "the heads share the width");
    require(c.layer_groups > 0 && c.layer_groups <= c.layers, "every group has a layer");
    require(c.positions >= 3 && c.max_positions() >= 3 && c.max_positions() <= c.positions,
            "there are positions for a text");
    require(c.layer_norm_eps > 0.0F && c.layer_norm_eps < 1.0F, "the epsilon is one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::Directory directory;
    directory.write("config.json", {reinterpret_cast<const char*>(data), size});
    try {
        check(load_config(directory.path()));
    } catch (const FormatError&) {
    }
    return 0;
}
