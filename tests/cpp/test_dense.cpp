#include "unitvec/model/dense.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/random.hpp"
#include "support/tiny_bert.hpp"
#include "unitvec/error.hpp"

using namespace unitvec;

namespace {

struct Case {
    std::string name;
    std::function<double(double)> function;
};

const std::vector<Case> kCases{
    {"torch.nn.modules.linear.Identity", [](double x) { return x; }},
    {"torch.nn.modules.activation.Tanh", [](double x) { return std::tanh(x); }},
    {"torch.nn.modules.activation.ReLU", [](double x) { return std::max(x, 0.0); }},
    {"GELU", [](double x) { return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0))); }},
    {"x.Sigmoid", [](double x) { return 1.0 / (1.0 + std::exp(-x)); }},
};

std::string config(std::size_t in, std::size_t out, const std::string& activation,
                   const std::string& more = "") {
    return R"({"in_features": )" + std::to_string(in) + R"(, "out_features": )" +
           std::to_string(out) + R"(, "activation_function": ")" + activation + "\"" + more + "}";
}

/// weight x + bias in double; `bias` may be empty.
double sum(const Tensor& weight, const std::vector<float>& bias, std::span<const float> x,
           std::size_t row) {
    double total = bias.empty() ? 0.0 : bias[row];
    for (std::size_t i = 0; i < x.size(); ++i) {
        total += static_cast<double>(weight.values[row * x.size() + i]) * x[i];
    }
    return total;
}

}  // namespace

TEST_CASE("a dense layer follows its formula", "[dense]") {
    const auto& [name, function] = kCases[GENERATE(0u, 1u, 2u, 3u, 4u)];
    const std::size_t in = 7, rows = 5;
    const std::size_t out = GENERATE(7u, 3u);
    const bool residual = GENERATE(false, true);
    const TemporaryFolder folder;
    Tensors tensors{{"linear.weight", {{out, in}, random_floats(out * in, 1)}},
                    {"linear.bias", {{out}, random_floats(out, 2)}}};
    if (residual && in != out) tensors["residual.weight"] = {{out, in}, random_floats(out * in, 3)};
    save_tensors(tensors, folder.path());
    const std::string more = residual ? R"(, "use_residual": true)" : "";
    (void)folder.write("config.json", config(in, out, name, more));

    const auto dense = Dense::load(folder.path());
    CHECK(dense.in() == in);
    CHECK(dense.out() == out);
    const auto values = random_floats(rows * in, 4);
    const MatrixView<const float> x{values.data(), rows, in};
    const Matrix y = dense(x, 2);
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t o = 0; o < out; ++o) {
            double expected =
                function(sum(tensors["linear.weight"], tensors["linear.bias"].values, x.row(r), o));
            if (residual) {
                expected +=
                    in == out ? x.row(r)[o] : sum(tensors["residual.weight"], {}, x.row(r), o);
            }
            CHECK_THAT(y.row(r)[o], WithinAbs(expected, 1e-5));
        }
        CHECK(std::ranges::equal(dense(x.middle_rows(r, 1), 1).row(0), y.row(r)));
    }
    CHECK(dense({nullptr, 0, in}, 1).rows() == 0);
    CHECK_THROWS_AS(dense({values.data(), 1, in - 1}, 1), std::invalid_argument);
}

TEST_CASE("a dense layer may have no bias", "[dense]") {
    const TemporaryFolder folder;
    save_tensors({{"linear.weight", {{1, 2}, {2, 3}}}}, folder.path());
    (void)folder.write("config.json", config(2, 1, "Identity", R"(, "bias": false)"));
    const std::vector<float> x{10, 100};
    CHECK(Dense::load(folder.path())({x.data(), 1, 2}, 1).data()[0] == 320.0F);
}

TEST_CASE("damaged dense layers are refused by name", "[dense]") {
    const TemporaryFolder folder;
    const auto refused = [&](const std::string& json, const std::string& message) {
        (void)folder.write("config.json", json);
        CHECK_THROWS_WITH(Dense::load(folder.path()), ContainsSubstring(message));
        CHECK_THROWS_AS(Dense::load(folder.path()), FormatError);
    };
    refused(config(2, 1, "Identity"), "model.safetensors");
    save_tensors({{"linear.weight", {{1, 2}, {2, 3}}}}, folder.path());
    refused(config(2, 1, "Identity"), "linear.bias");
    refused(config(3, 1, "Identity"), "linear.weight");
    refused(config(2, 1, "Softmax"), "activation_function");
    refused(config(2, 1 << 21, "Tanh"), "out_features");
    refused(config(2, 1, "Tanh", R"(, "bias": 1)"), "bias");
    refused(config(2, 2, "Tanh", R"(, "module_output_name": "x")"), "module_output_name");
}
