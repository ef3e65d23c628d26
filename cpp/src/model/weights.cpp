#include "model/weights.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cstring>

#include "unitvec/error.hpp"

namespace unitvec {
namespace {

std::string shape_text(const std::vector<std::size_t>& shape) {
    std::string text;
    for (const std::size_t n : shape) text += (text.empty() ? "" : ", ") + std::to_string(n);
    return "(" + text + ")";
}

std::optional<at::ScalarType> float_type(const std::string& dtype) {
    if (dtype == "F32") return at::kFloat;
    if (dtype == "F16") return at::kHalf;
    if (dtype == "BF16") return at::kBFloat16;
    if (dtype == "F64") return at::kDouble;
    return std::nullopt;
}

}  // namespace

at::Tensor WeightReader::read(const std::string& name,
                              const std::vector<std::size_t>& shape) const {
    const auto full_name = prefix_ + name;
    const TensorView& view = file_.at(full_name);
    if (view.shape != shape) {
        throw FormatError(file_.source(), full_name,
                          "expected shape " + shape_text(shape) + " as config.json says, got " +
                              shape_text(view.shape));
    }
    const auto type = float_type(view.dtype);
    if (!type) {
        throw FormatError(file_.source(), full_name,
                          "expected F32, F16, BF16 or F64, got " + view.dtype);
    }
    const std::vector<std::int64_t> sizes(shape.begin(), shape.end());
    // Copied, because a file's tensors may lie on any byte while at::Tensor asks for alignment.
    at::Tensor raw = at::empty(sizes, *type);
    std::memcpy(raw.data_ptr(), view.bytes.data(), view.bytes.size());
    return raw.to(at::kFloat);
}

LayerNormWeights WeightReader::layer_norm(const std::string& name, std::size_t dim) const {
    const bool old = file_.contains(prefix_ + name + ".gamma");
    return {read(name + (old ? ".gamma" : ".weight"), {dim}),
            read(name + (old ? ".beta" : ".bias"), {dim})};
}

PackedLinear WeightReader::linear(const std::string& name, std::size_t out, std::size_t in) const {
    return linears({name}, out, in);
}

PackedLinear WeightReader::linears(const std::vector<std::string>& names, std::size_t out,
                                   std::size_t in) const {
    std::vector<at::Tensor> weights, biases;
    for (const auto& name : names) {
        weights.push_back(read(name + ".weight", {out, in}));
        biases.push_back(read(name + ".bias", {out}));
    }
    return {at::cat(weights), at::cat(biases)};
}

}  // namespace unitvec
