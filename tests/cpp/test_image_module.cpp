#include "unitvec/model/image_module.hpp"

#include <torch/csrc/jit/api/module.h>

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "unitvec/error.hpp"

using namespace unitvec;

namespace {

std::filesystem::path save_module(const TemporaryFolder& folder, const std::string& body,
                                  const std::string& arguments = "x") {
    torch::jit::Module module("Images");
    module.define("def forward(self, " + arguments + "):\n  " + body + "\n");
    const auto path = folder.path() / "images.pt";
    module.save(path.string());
    return path;
}

}  // namespace

TEST_CASE("an image module's vectors come back, one for each image", "[image_module]") {
    const TemporaryFolder folder;
    const std::string result =
        GENERATE("x.amax([2, 3])", "x.amax([2, 3], True)", "(x.amax([2, 3]), x)",
                 "{\"image_embeds\": x.amax([2, 3])}",
                 "{\"last_hidden_state\": x, \"pooler_output\": x.amax([2, 3], True)}");
    INFO(result);
    const auto encoder =
        TorchScriptImageEncoder::load(save_module(folder, "return " + result), 1, 2);
    CHECK(encoder->dim() == 3);
    const std::vector<float> pixels{1, 2, 3, 4, 5, 6, 12, 11, 10, 9, 8, 7};
    const Matrix vectors = encoder->embed({pixels.data(), 2, 1, 2}, 1);
    const std::vector<float> expected{2, 4, 6, 12, 10, 8};
    CHECK(std::vector<float>(vectors.data(), vectors.data() + 6) == expected);
    CHECK(encoder->embed({nullptr, 0, 1, 2}, 1).rows() == 0);
}

TEST_CASE("a module may change its input in place", "[image_module]") {
    const TemporaryFolder folder;
    const auto encoder =
        TorchScriptImageEncoder::load(save_module(folder, "return x.mul_(2).flatten(1)"), 1, 1);
    const std::vector<float> pixels{1, 2, 3};
    CHECK(encoder->embed({pixels.data(), 1, 1, 1}, 1).row(0)[2] == 6.0F);
    CHECK(pixels == std::vector<float>{1, 2, 3});
}

TEST_CASE("what is no image module is a FormatError", "[image_module]") {
    const TemporaryFolder folder;
    const auto load = [&](const std::string& body, const std::string& arguments = "x") {
        return TorchScriptImageEncoder::load(save_module(folder, body, arguments), 4, 4);
    };
    CHECK_THROWS_AS(TorchScriptImageEncoder::load(folder.write("x.pt", "no module"), 4, 4),
                    FormatError);
    CHECK_THROWS_WITH(load("return x"), ContainsSubstring("got (1, 3, 4, 4) of Float"));
    CHECK_THROWS_WITH(load("return x.view([7])"), ContainsSubstring("forward: raised"));
    CHECK_THROWS_WITH(load("return x", "x, y"), ContainsSubstring("got 2 argument(s)"));
    // A module whose vectors change their length with the number of images.
    const auto encoder = load("return torch.zeros([x.size(0), x.size(0)])");
    const std::vector<float> pixels(96);
    CHECK_THROWS_WITH(encoder->embed({pixels.data(), 2, 4, 4}, 1),
                      ContainsSubstring("vectors of length 1, as before, got 2"));
}
