#include "unitvec/model/dense.hpp"

#include <algorithm>
#include <functional>
#include <string>

#include "json.hpp"
#include "model/dense_weights.hpp"
#include "model/weights.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

constexpr DenseActivation kActivations[] = {{"Identity", kIdentity},
                                            {"Tanh", kTanh},
                                            {"ReLU", kRelu},
                                            {"GELU", kGelu},
                                            {"Sigmoid", kSigmoid}};

/// "torch.nn.modules.activation.Tanh" and the like, of any version.
DenseActivation read_activation(const JsonField& root) {
    const auto name = root.string_or("activation_function", "torch.nn.modules.activation.Tanh");
    const auto last = std::string_view(name).substr(name.rfind('.') + 1);
    const auto found = std::ranges::find(kActivations, last, &DenseActivation::name);
    if (found != std::end(kActivations)) return *found;
    root.at("activation_function").fail("one of Identity, Tanh, ReLU, GELU, Sigmoid");
}

std::size_t read_width(const JsonField& root, std::string_view key) {
    return static_cast<std::size_t>(root.at(key).integer(1, 1 << 20));
}

void add(MatrixView<const float> x, MatrixView<float> y) {
    std::transform(y.data, y.data + y.size(), x.data, y.data, std::plus<>());
}

}  // namespace

Dense Dense::load(const std::filesystem::path& directory) {
    const auto root = JsonField::parse_file(directory / "config.json");
    for (const char* key : {"module_input_name", "module_output_name"}) {
        if (root.string_or(key, "sentence_embedding") != "sentence_embedding") {
            root.at(key).fail("\"sentence_embedding\"");
        }
    }
    const auto in = read_width(root, "in_features");
    const auto out = read_width(root, "out_features");
    const auto activation = read_activation(root);
    const bool has_bias = root.boolean_or("bias", true);
    const bool use_residual = root.boolean_or("use_residual", false);

    const auto file = Safetensors::open_directory(directory);
    const WeightReader reader(file, "");
    const auto read_linear = [&](const std::string& name, bool bias) {
        return bias ? reader.linear(name, out, in) : reader.linear_without_bias(name, out, in);
    };
    std::optional<Linear> projection;
    if (use_residual && in != out) projection = read_linear("residual", false);
    return Dense(std::make_shared<const Weights>(Weights{read_linear("linear", has_bias),
                                                         activation, use_residual,
                                                         std::move(projection), file.source()}));
}

std::size_t Dense::in() const {
    return weights_->linear.in();
}
std::size_t Dense::out() const {
    return weights_->linear.out();
}

Matrix Dense::operator()(MatrixView<const float> x, std::size_t threads) const {
    require_dim("Dense", "x", in(), x.cols);
    const auto& [linear, activation, use_residual, projection, source] = *weights_;
    Matrix y = activated(linear, activation.function, x, threads);
    if (projection) {
        add(activated(*projection, kIdentity, x, threads).view(), y.view());
    } else if (use_residual) {
        add(x, y.view());
    }
    require_moderate(source, y.view());
    return y;
}

}  // namespace unitvec
