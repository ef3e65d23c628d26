#include "unitvec/model/export.hpp"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/export.h>

#include <cerrno>
#include <cmath>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <system_error>

#include "model/architectures/architecture.hpp"
#include "model/dense_weights.hpp"
#include "model/export_program.hpp"
#include "replace_file.hpp"

namespace unitvec {
namespace {

/// A copy, because the module owns what it is made of.
at::Tensor tensor(std::span<const float> values, const std::vector<std::int64_t>& shape) {
    // from_blob takes memory that may be written; the clone is all that anybody gets.
    return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat).clone();
}

at::Tensor vector_of(std::span<const float> values) {
    return tensor(values, {static_cast<std::int64_t>(values.size())});
}

at::Tensor table_of(std::span<const float> values, std::size_t columns) {
    const auto cols = static_cast<std::int64_t>(columns);
    return tensor(values, {static_cast<std::int64_t>(values.size()) / cols, cols});
}

at::Tensor weight_of(const Linear& linear) {
    const Matrix weight = linear.weight();
    return table_of({weight.data(), weight.view().size()}, linear.in());
}

/// Adds weights to a module under the names that export_program() uses.
class Weights {
public:
    explicit Weights(torch::jit::Module& module) : module_(module) {}

    void add(const std::string& name, const at::Tensor& values) {
        module_.register_parameter(name, values, false);
    }
    void add(const std::string& name, const Linear& linear) {
        add(name + "_weight", weight_of(linear));
        add(name + "_bias", vector_of(linear.bias()));
    }
    void add(const std::string& name, const LayerNormWeights& norm) {
        add(name + "_gamma", vector_of(norm.gamma));
        add(name + "_beta", vector_of(norm.beta));
    }

    /// The same part of every layer, one behind the other: the source runs over them in a loop.
    void add_linears(const std::string& name, const std::vector<LayerWeights>& layers,
                     Linear LayerWeights::* part) {
        stack(name + "_weight", layers, [&](const auto& l) { return weight_of(l.*part); });
        stack(name + "_bias", layers, [&](const auto& l) { return vector_of((l.*part).bias()); });
    }
    void add_norms(const std::string& name, const std::vector<LayerWeights>& layers,
                   LayerNormWeights LayerWeights::* part) {
        stack(name + "_gamma", layers, [&](const auto& l) { return vector_of((l.*part).gamma); });
        stack(name + "_beta", layers, [&](const auto& l) { return vector_of((l.*part).beta); });
    }

private:
    void stack(const std::string& name, const std::vector<LayerWeights>& layers,
               const std::function<at::Tensor(const LayerWeights&)>& part) {
        std::vector<at::Tensor> parts;
        for (const auto& layer : layers) parts.push_back(part(layer));
        add(name, at::stack(parts));
    }

    torch::jit::Module& module_;
};

/// (heads, 2 longest - 1): by key minus query, as it is added behind the scale.
at::Tensor relative_bias_of(const TransformerWeights& weights) {
    const auto& c = weights.config;
    const auto reach = static_cast<std::ptrdiff_t>(c.max_positions()) - 1;
    const float scale = 1.0F / std::sqrt(static_cast<float>(c.head_dim()));
    std::vector<float> values;
    for (std::size_t head = 0; head < c.heads; ++head) {
        const float* bias = weights.relative_bias.of_head(head);
        for (auto d = -reach; d <= reach; ++d) values.push_back(bias[d] * scale);
    }
    return table_of(values, static_cast<std::size_t>(2 * reach + 1));
}

void add_transformer(Weights& to, const TransformerWeights& weights) {
    const auto& c = weights.config;
    to.add("word", table_of(weights.word.rows(), c.embedding_dim));
    to.add("position", table_of(weights.position, c.embedding_dim));
    if (c.type_vocab_size > 0) to.add("type", table_of(weights.type, c.embedding_dim));
    to.add("embedding_norm", weights.embedding_norm);
    if (weights.embedding_projection) to.add("projection", *weights.embedding_projection);
    if (c.relative_buckets > 0) to.add("relative_bias", relative_bias_of(weights));
    to.add_linears("qkv", weights.layers, &LayerWeights::qkv);
    to.add_linears("output", weights.layers, &LayerWeights::output);
    to.add_norms("attention_norm", weights.layers, &LayerWeights::attention_norm);
    to.add_linears("intermediate", weights.layers, &LayerWeights::intermediate);
    to.add_linears("dense", weights.layers, &LayerWeights::dense);
    to.add_norms("output_norm", weights.layers, &LayerWeights::output_norm);
}

void add_steps(Weights& to, const SentenceSteps& steps) {
    for (std::size_t k = 0; k < steps.layers.size(); ++k) {
        if (!steps.layers[k]) continue;
        const auto& weights = steps.layers[k]->weights();
        const auto name = "step" + std::to_string(k);
        to.add(name, weights.linear);
        if (weights.projection) to.add(name + "_residual", *weights.projection);
    }
}

torch::jit::Module build(const std::filesystem::path& directory, DType dtype,
                         const SentenceSteps& steps) {
    torch::jit::Module module("SentenceEncoder");
    module.register_attribute("training", c10::BoolType::get(), false);
    const TransformerWeights weights = read_transformer(directory, dtype);
    Weights to(module);
    add_transformer(to, weights);
    add_steps(to, steps);
    module.define(export_program(weights.config, steps, weights.embedding_projection.has_value(),
                                 weights.config.relative_buckets > 0));
    return module;
}

void save(const torch::jit::Module& module, const std::filesystem::path& file) {
    ReplaceFile out(file);
    std::exception_ptr error;  // must not leave the callback: libtorch's writer ends with a write
    const auto write = [&](const void* data, std::size_t size) {
        try {
            if (!error) out.write({static_cast<const std::byte*>(data), size});
        } catch (...) {
            error = std::current_exception();
        }
        return size;
    };
    torch::jit::ExportModule(module, write);
    if (error) std::rethrow_exception(error);
    out.commit();
}

}  // namespace

void export_torchscript(const std::filesystem::path& directory, DType dtype,
                        const SentenceSteps& steps, const std::filesystem::path& file) {
    if (std::filesystem::is_directory(file)) {
        throw std::system_error(EISDIR, std::generic_category(), "cannot write " + file.string());
    }
    save(build(directory, dtype, steps), file);
}

}  // namespace unitvec
