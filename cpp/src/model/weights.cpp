#include "model/weights.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cfloat>
#include <cmath>
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

/// Numbers of type T on any byte boundary, as floats; nothing if one is not finite.
template <typename T>
std::optional<AlignedVector<float>> convert(std::span<const std::byte> bytes) {
    AlignedVector<float> values(bytes.size() / sizeof(T));
    unsigned odd = 0;  // a sum, not a way out, so that the loop stays one of vectors
    for (std::size_t i = 0; i < values.size(); ++i) {
        T value;
        std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
        values[i] = static_cast<float>(value);
        odd |= std::abs(values[i]) <= FLT_MAX ? 0U : 1U;  // 1: NaN, an infinity
    }
    if (odd != 0) return std::nullopt;
    return values;
}

std::optional<AlignedVector<float>> convert(const TensorView& view) {
    if (view.dtype == "F32") return convert<float>(view.bytes);
    if (view.dtype == "F16") return convert<Eigen::half>(view.bytes);
    if (view.dtype == "BF16") return convert<Eigen::bfloat16>(view.bytes);
    return convert<double>(view.bytes);
}

}  // namespace

RelativeBias::RelativeBias(std::size_t heads, std::size_t longest)
    : reach_(longest - 1),
      // A kernel reads whole vectors of keys, so a little past the last distance.
      width_(2 * reach_ + 1 + kernels::kMostLanes), values_(heads * width_, 0.0F) {}

WordTable::WordTable(AlignedVector<float> rows, std::size_t dim, DType dtype) : dim_(dim) {
    if (dtype != DType::float32) {
        bfloat16_rows_ = to_bfloat16(rows);
    } else {
        rows_ = std::move(rows);
    }
}

AlignedVector<float> WordTable::rows() const {
    return bfloat16_rows_.empty() ? rows_ : from_bfloat16(bfloat16_rows_);
}

const float* WordTable::row(std::size_t id, float* room) const {
    if (bfloat16_rows_.empty()) return rows_.data() + id * dim_;
    const std::uint16_t* half = bfloat16_rows_.data() + id * dim_;
    std::transform(half, half + dim_, room, widened);
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
    if (view.dtype != "F32" && view.dtype != "F16" && view.dtype != "BF16" && view.dtype != "F64") {
        throw FormatError(file_.source(), full_name,
                          "expected F32, F16, BF16 or F64, got " + view.dtype);
    }
    auto values = convert(view);
    if (!values) {
        throw FormatError(file_.source(), full_name,
                          "expected finite weights, got a NaN, an infinity or a number beyond "
                          "float32's range");
    }
    return *std::move(values);
}

void WeightReader::require_absent(const std::string& name, const std::string& expected) const {
    if (!contains(name)) return;
    throw FormatError(file_.source(), prefix_ + name,
                      "expected " + expected + ", as config.json says, got this one too");
}

void require_moderate(const std::string& source, MatrixView<const float> vectors) {
    constexpr float kLargest = 1e15F;
    const auto* end = vectors.data + vectors.size();
    const auto* odd =
        std::find_if_not(vectors.data, end, [](float x) { return std::abs(x) <= kLargest; });
    if (odd != end) {
        throw FormatError(source, "",
                          "expected weights that give vectors of ordinary numbers, got " +
                              std::to_string(*odd) + ": the weights are damaged");
    }
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
