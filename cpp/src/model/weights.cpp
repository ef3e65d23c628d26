#include "model/weights.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cstring>

#include "model/bfloat16.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

std::string shape_text(const std::vector<std::size_t>& shape) {
    std::string text;
    for (const std::size_t n : shape) text += (text.empty() ? "" : ", ") + std::to_string(n);
    return "(" + text + ")";
}

/// Numbers of type T on any byte boundary, as floats.
template <typename T>
AlignedVector<float> convert(std::span<const std::byte> bytes) {
    AlignedVector<float> values(bytes.size() / sizeof(T));
    for (std::size_t i = 0; i < values.size(); ++i) {
        T value;
        std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
        values[i] = static_cast<float>(value);
    }
    return values;
}

}  // namespace

RelativeBias::RelativeBias(std::size_t heads, std::size_t longest)
    : reach_(longest - 1),
      // A kernel reads whole vectors of keys, so a little past the last distance.
      width_(2 * reach_ + 1 + kernels::kMostLanes), values_(heads * width_, 0.0F) {}

WordTable::WordTable(AlignedVector<float> rows, std::size_t dim, DType dtype) : dim_(dim) {
    if (dtype == DType::bfloat16) {
        bfloat16_rows_ = to_bfloat16(rows);
    } else {
        rows_ = std::move(rows);
    }
}

const float* WordTable::row(std::size_t id, float* room) const {
    if (bfloat16_rows_.empty()) return rows_.data() + id * dim_;
    const std::uint16_t* half = bfloat16_rows_.data() + id * dim_;
    std::transform(half, half + dim_, room, from_bfloat16);
    return room;
}

std::size_t TransformerWeights::parameters() const {
    const auto norm = [](const LayerNormWeights& n) { return n.gamma.size() + n.beta.size(); };
    const auto linear = [](const Linear& l) { return (l.in() + 1) * l.out(); };
    std::size_t count = word.size() + position.size() + type.size() + norm(embedding_norm) +
                        config.relative_buckets * config.heads;
    if (embedding_projection) count += linear(*embedding_projection);
    for (const auto& l : layers) {
        count += linear(l.qkv) + linear(l.output) + linear(l.intermediate) + linear(l.dense) +
                 norm(l.attention_norm) + norm(l.output_norm);
    }
    return count;
}

AlignedVector<float> WeightReader::read(const std::string& name,
                                        const std::vector<std::size_t>& shape) const {
    const auto full_name = prefix_ + name;
    const TensorView& view = file_.at(full_name);
    if (view.shape != shape) {
        throw FormatError(file_.source(), full_name,
                          "expected shape " + shape_text(shape) + " as config.json says, got " +
                              shape_text(view.shape));
    }
    if (view.dtype == "F32") return convert<float>(view.bytes);
    if (view.dtype == "F16") return convert<Eigen::half>(view.bytes);
    if (view.dtype == "BF16") return convert<Eigen::bfloat16>(view.bytes);
    if (view.dtype == "F64") return convert<double>(view.bytes);
    throw FormatError(file_.source(), full_name,
                      "expected F32, F16, BF16 or F64, got " + view.dtype);
}

LayerNormWeights WeightReader::layer_norm(const std::string& name, std::size_t dim) const {
    const bool old = file_.contains(prefix_ + name + ".gamma");
    return {read(name + (old ? ".gamma" : ".weight"), {dim}),
            read(name + (old ? ".beta" : ".bias"), {dim})};
}

Linear WeightReader::linear(const std::string& name, std::size_t out, std::size_t in,
                            DType dtype) const {
    return linears({name}, out, in, dtype);
}

Linear WeightReader::linear_without_bias(const std::string& name, std::size_t out,
                                         std::size_t in) const {
    const auto weight = read(name + ".weight", {out, in});
    const AlignedVector<float> bias(out, 0.0F);
    return {{weight.data(), out, in}, bias};
}

Linear WeightReader::linears(const std::vector<std::string>& names, std::size_t out, std::size_t in,
                             DType dtype) const {
    AlignedVector<float> weights, biases;
    for (const auto& name : names) {
        const auto weight = read(name + ".weight", {out, in});
        const auto bias = read(name + ".bias", {out});
        weights.insert(weights.end(), weight.begin(), weight.end());
        biases.insert(biases.end(), bias.begin(), bias.end());
    }
    return {{weights.data(), names.size() * out, in}, biases, dtype};
}

}  // namespace unitvec
