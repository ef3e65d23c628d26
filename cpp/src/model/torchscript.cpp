#include "unitvec/model/torchscript.hpp"

#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <mutex>
#include <numeric>

#include "model/threads.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

/// The texts of a batch as padded, masked matrices.
struct Padded {
    at::Tensor input_ids;       // (texts, longest), int64
    at::Tensor attention_mask;  // the same; 1 = token, 0 = padding
    at::Tensor token_type_ids;  // the same
};

Padded pad(const Batch& batch, std::span<const std::size_t> texts, std::size_t longest) {
    const std::vector<std::int64_t> shape{static_cast<std::int64_t>(texts.size()),
                                          static_cast<std::int64_t>(longest)};
    Padded padded{at::zeros(shape, at::kLong), at::zeros(shape, at::kLong),
                  at::zeros(shape, at::kLong)};
    for (std::size_t row = 0; row < texts.size(); ++row) {
        const std::size_t begin = batch.offsets[texts[row]];
        const std::size_t length = batch.length(texts[row]);
        const std::size_t at = row * longest;
        std::copy_n(batch.input_ids.begin() + static_cast<std::ptrdiff_t>(begin), length,
                    padded.input_ids.mutable_data_ptr<std::int64_t>() + at);
        std::fill_n(padded.attention_mask.mutable_data_ptr<std::int64_t>() + at, length, 1);
        if (!batch.token_type_ids.empty()) {
            std::copy_n(batch.token_type_ids.begin() + static_cast<std::ptrdiff_t>(begin), length,
                        padded.token_type_ids.mutable_data_ptr<std::int64_t>() + at);
        }
    }
    return padded;
}

/// The token vectors among what a module returned: itself, the first of a tuple or list, or
/// "last_hidden_state" of a dict. An undefined tensor where there is none.
at::Tensor token_vectors(const c10::IValue& output) {
    if (output.isTensor()) return output.toTensor();
    if (output.isTuple() && !output.toTupleRef().elements().empty()) {
        return token_vectors(output.toTupleRef().elements()[0]);
    }
    if (output.isTensorList() && !output.toTensorVector().empty()) {
        return output.toTensorVector().front();
    }
    if (output.isGenericDict()) {
        const auto dict = output.toGenericDict();
        const auto found = dict.find("last_hidden_state");
        if (found != dict.end()) return token_vectors(found->value());
    }
    return {};
}

}  // namespace

struct TorchScriptEncoder::Module {
    mutable torch::jit::Module module;
    std::string file;
    std::size_t dim = 0;
    std::size_t max_positions = 0;
    bool takes_types = false;

    /// (texts, longest, dim), float32, contiguous
    [[nodiscard]] at::Tensor run(const Padded& padded) const {
        std::vector<c10::IValue> inputs{padded.input_ids, padded.attention_mask};
        if (takes_types) inputs.emplace_back(padded.token_type_ids);
        const at::Tensor vectors = token_vectors(module.forward(std::move(inputs)));
        const auto& ids = padded.input_ids;
        const bool fits = vectors.defined() && vectors.dim() == 3 &&
                          vectors.size(0) == ids.size(0) && vectors.size(1) == ids.size(1) &&
                          vectors.is_floating_point();
        if (!fits) {
            throw FormatError(
                file, "forward",
                "expected token vectors of shape (batch, seq_len, dim) as a tensor, the "
                "first of a tuple or list, or \"last_hidden_state\" of a dict, got "
                "something else");
        }
        return vectors.to(at::kFloat).contiguous();
    }
};

TorchScriptEncoder::TorchScriptEncoder(std::unique_ptr<Module> module)
    : module_(std::move(module)) {}
TorchScriptEncoder::~TorchScriptEncoder() = default;
std::size_t TorchScriptEncoder::dim() const {
    return module_->dim;
}
std::size_t TorchScriptEncoder::max_positions() const {
    return module_->max_positions;
}

std::unique_ptr<TorchScriptEncoder> TorchScriptEncoder::load(const std::filesystem::path& file,
                                                             std::size_t max_positions) {
    const c10::InferenceMode inference;
    auto data = std::make_unique<Module>();
    data->file = file.string();
    data->max_positions = max_positions;
    try {
        auto module = torch::jit::load(file.string(), at::kCPU);
        module.eval();
        data->module = torch::jit::freeze(module);
    } catch (const c10::Error& e) {
        throw FormatError(
            file.string(), "",
            std::string("expected a TorchScript module, got: ") + e.what_without_backtrace());
    }
    const auto arguments =
        data->module.get_method("forward").function().getSchema().arguments().size() - 1;
    if (arguments < 2) {
        throw FormatError(file.string(), "forward",
                          "expected (input_ids, attention_mask[, token_type_ids]), got " +
                              std::to_string(arguments) + " argument(s)");
    }
    data->takes_types = arguments >= 3;
    const std::vector<std::int32_t> ids{0, 0};
    const std::vector<std::size_t> offsets{0, 2};
    const std::vector<std::size_t> first{0};
    const auto vectors = data->run(pad({ids, {}, offsets}, first, 2));
    data->dim = static_cast<std::size_t>(vectors.size(2));
    return std::unique_ptr<TorchScriptEncoder>(new TorchScriptEncoder(std::move(data)));
}

void TorchScriptEncoder::token_embeddings(const Batch& batch, std::size_t threads,
                                          MatrixView<float> out,
                                          const std::function<void()>& between_layers) const {
    constexpr std::size_t kTextsAtOnce = 32;
    const c10::InferenceMode inference;
    const ThreadScope scope(threads);
    require_dim("token_embeddings", "rows of out", batch.tokens(), out.rows);
    require_dim("token_embeddings", "out", dim(), out.cols);
    std::vector<std::size_t> order(batch.texts());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t t) { return batch.length(t); });
    for (std::size_t first = 0; first < order.size(); first += kTextsAtOnce) {
        const auto texts =
            std::span(order).subspan(first, std::min(kTextsAtOnce, order.size() - first));
        const std::size_t longest = batch.length(texts.back());
        if (longest == 0) continue;
        between_layers();
        const at::Tensor vectors = module_->run(pad(batch, texts, longest));
        const float* data = vectors.const_data_ptr<float>();
        for (std::size_t row = 0; row < texts.size(); ++row) {
            std::copy_n(data + row * longest * dim(), batch.length(texts[row]) * dim(),
                        out.data + batch.offsets[texts[row]] * dim());
        }
    }
}

}  // namespace unitvec
