#include "unitvec/model/torchscript.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "model/script_module.hpp"
#include "model/threads.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

constexpr std::size_t kTextsAtOnce = 32;

/// The texts of a batch as padded, masked matrices.
struct Padded {
    at::Tensor input_ids;       // (texts, longest), int64
    at::Tensor attention_mask;  // the same; 1 = token, 0 = padding
    at::Tensor token_type_ids;  // the same
};

Padded pad(const Batch& batch, std::span<const std::size_t> texts, std::size_t longest,
           std::int32_t padding_id) {
    const std::vector<std::int64_t> shape{static_cast<std::int64_t>(texts.size()),
                                          static_cast<std::int64_t>(longest)};
    Padded padded{at::full(shape, padding_id, at::kLong), at::zeros(shape, at::kLong),
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

/// A module over padded texts, with what both kinds of it share.
class TextModule {
public:
    TextModule(const std::filesystem::path& file, const TorchScriptOptions& options)
        : module_(file), options_(options) {
        if (module_.arguments() < 2 || module_.required() > 3) {
            const auto count = module_.arguments() < 2 ? module_.arguments() : module_.required();
            module_.fail("expected (input_ids, attention_mask[, token_type_ids]), got " +
                         std::to_string(count) + " argument(s)");
        }
        // A third argument that may be left out is passed only if that is what it is.
        takes_types_ =
            module_.required() == 3 ||
            (module_.arguments() > 2 && module_.argument(2).find("type") != std::string::npos);
    }

    [[nodiscard]] const ScriptModule& script() const { return module_; }
    [[nodiscard]] std::size_t max_positions() const { return options_.max_positions; }

    /// What the module makes of two tokens: to learn what it is.
    [[nodiscard]] c10::IValue probe(Padded& padded) const {
        const std::vector<std::int32_t> ids{0, 0};
        const std::vector<std::size_t> offsets{0, 2};
        const std::vector<std::size_t> first{0};
        padded = pad({ids, {}, offsets}, first, width(2), options_.padding_id);
        return run(padded);
    }

    /// Calls visit(texts, padded, output) with groups of texts of similar length.
    template <typename Visit>
    void for_each_group(const Batch& batch, Visit visit) const {
        std::vector<std::size_t> order(batch.texts());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::stable_sort(order, {}, [&](std::size_t t) { return batch.length(t); });
        for (std::size_t first = 0; first < order.size(); first += kTextsAtOnce) {
            const auto texts =
                std::span(order).subspan(first, std::min(kTextsAtOnce, order.size() - first));
            const std::size_t longest = batch.length(texts.back());
            if (longest == 0) continue;
            const Padded padded = pad(batch, texts, width(longest), options_.padding_id);
            visit(texts, padded, run(padded));
        }
    }

private:
    [[nodiscard]] std::size_t width(std::size_t longest) const {
        if (options_.pad_to == 0) return longest;
        if (longest > options_.pad_to) {
            throw_invalid("encode",
                          "texts of at most " + std::to_string(options_.pad_to) +
                              " tokens, to which this module's texts are padded",
                          std::to_string(longest));
        }
        return options_.pad_to;
    }

    [[nodiscard]] c10::IValue run(const Padded& padded) const {
        std::vector<c10::IValue> inputs{padded.input_ids, padded.attention_mask};
        if (takes_types_) inputs.emplace_back(padded.token_type_ids);
        return module_.run(std::move(inputs));
    }

    ScriptModule module_;
    TorchScriptOptions options_;
    bool takes_types_ = false;
};

bool starts_with_shape_of(const at::Tensor& vectors, const at::Tensor& ids, std::int64_t dims) {
    return vectors.defined() && vectors.dim() == dims && vectors.is_floating_point() &&
           vectors.size(0) == ids.size(0) && (dims == 2 || vectors.size(1) == ids.size(1)) &&
           vectors.size(dims - 1) > 0;
}

/// (texts, longest, dim), float32, contiguous
at::Tensor token_vectors(const ScriptModule& script, const Padded& padded,
                         const c10::IValue& output) {
    const auto vectors = tensor_of(output, {"last_hidden_state"});
    if (starts_with_shape_of(vectors, padded.input_ids, 3)) {
        return vectors.to(at::kFloat).contiguous();
    }
    const bool pooled = starts_with_shape_of(vectors, padded.input_ids, 2);
    script.fail(
        "expected token vectors of shape (batch, seq_len, dim) as a tensor, the first of a tuple "
        "or list, or \"last_hidden_state\" of a dict or named tuple, got " +
        describe(vectors) +
        (pooled ? "; a module that gives text vectors is loaded with pooling=None" : ""));
}

/// (texts, dim), float32, contiguous
at::Tensor text_vectors(const ScriptModule& script, const Padded& padded,
                        const c10::IValue& output) {
    const auto vectors = tensor_of(output, {"sentence_embedding", "text_embeds", "pooler_output"});
    if (starts_with_shape_of(vectors, padded.input_ids, 2)) {
        return vectors.to(at::kFloat).contiguous();
    }
    const bool tokens = starts_with_shape_of(vectors, padded.input_ids, 3);
    script.fail(
        "expected text vectors of shape (batch, dim) as a tensor, the first of a tuple or list, or "
        "\"sentence_embedding\", \"text_embeds\" or \"pooler_output\" of a dict or named tuple, "
        "got " +
        describe(vectors) +
        (tokens ? "; a module that gives token vectors needs a pooling, such as \"mean\"" : ""));
}

void require_dim_of(const at::Tensor& vectors, std::size_t dim, const ScriptModule& script) {
    const auto got = static_cast<std::size_t>(vectors.size(vectors.dim() - 1));
    if (got != dim) {
        script.fail("expected vectors of length " + std::to_string(dim) + ", as before, got " +
                    std::to_string(got));
    }
}

}  // namespace

// ---- token vectors ------------------------------------------------------------------------------

struct TorchScriptEncoder::Module : TextModule {
    using TextModule::TextModule;
    std::size_t dim = 0;
};

TorchScriptEncoder::TorchScriptEncoder(std::unique_ptr<Module> module)
    : module_(std::move(module)) {}
TorchScriptEncoder::~TorchScriptEncoder() = default;
std::size_t TorchScriptEncoder::dim() const {
    return module_->dim;
}
std::size_t TorchScriptEncoder::max_positions() const {
    return module_->max_positions();
}

std::unique_ptr<TorchScriptEncoder> TorchScriptEncoder::load(const std::filesystem::path& file,
                                                             const TorchScriptOptions& options) {
    const c10::InferenceMode inference;
    auto module = std::make_unique<Module>(file, options);
    Padded padded;
    const auto output = module->probe(padded);
    module->dim = static_cast<std::size_t>(token_vectors(module->script(), padded, output).size(2));
    return std::unique_ptr<TorchScriptEncoder>(new TorchScriptEncoder(std::move(module)));
}

void TorchScriptEncoder::token_embeddings(const Batch& batch, std::size_t threads,
                                          MatrixView<float> out,
                                          const std::function<void()>& between_layers) const {
    const c10::InferenceMode inference;
    const ThreadScope scope(threads);
    require_dim("token_embeddings", "rows of out", batch.tokens(), out.rows);
    require_dim("token_embeddings", "out", dim(), out.cols);
    module_->for_each_group(batch, [&](auto texts, const Padded& padded, const auto& output) {
        between_layers();
        const at::Tensor vectors = token_vectors(module_->script(), padded, output);
        require_dim_of(vectors, dim(), module_->script());
        const float* data = vectors.const_data_ptr<float>();
        const auto width = static_cast<std::size_t>(vectors.size(1));
        for (std::size_t row = 0; row < texts.size(); ++row) {
            std::copy_n(data + row * width * dim(), batch.length(texts[row]) * dim(),
                        out.data + batch.offsets[texts[row]] * dim());
        }
    });
    require_finite("encode", "token vectors of the module", out);
}

// ---- text vectors -------------------------------------------------------------------------------

struct TorchScriptTextEncoder::Module : TextModule {
    using TextModule::TextModule;
    std::size_t dim = 0;
};

TorchScriptTextEncoder::TorchScriptTextEncoder(std::unique_ptr<Module> module)
    : module_(std::move(module)) {}
TorchScriptTextEncoder::~TorchScriptTextEncoder() = default;
std::size_t TorchScriptTextEncoder::dim() const {
    return module_->dim;
}
std::size_t TorchScriptTextEncoder::max_positions() const {
    return module_->max_positions();
}

std::unique_ptr<TorchScriptTextEncoder> TorchScriptTextEncoder::load(
    const std::filesystem::path& file, const TorchScriptOptions& options) {
    const c10::InferenceMode inference;
    auto module = std::make_unique<Module>(file, options);
    Padded padded;
    const auto output = module->probe(padded);
    module->dim = static_cast<std::size_t>(text_vectors(module->script(), padded, output).size(1));
    return std::unique_ptr<TorchScriptTextEncoder>(new TorchScriptTextEncoder(std::move(module)));
}

Matrix TorchScriptTextEncoder::embed(const TokenSequences& sequences, std::size_t threads,
                                     const std::function<void(std::size_t)>& on_progress) const {
    const c10::InferenceMode inference;
    const ThreadScope scope(threads);
    Matrix out(sequences.texts(), dim());
    std::fill_n(out.data(), out.view().size(), 0.0F);  // texts without any token
    std::size_t done = 0;
    module_->for_each_group(
        whole_batch(sequences), [&](auto texts, const Padded& padded, const auto& output) {
            const at::Tensor vectors = text_vectors(module_->script(), padded, output);
            require_dim_of(vectors, dim(), module_->script());
            const float* data = vectors.const_data_ptr<float>();
            for (std::size_t row = 0; row < texts.size(); ++row) {
                std::copy_n(data + row * dim(), dim(), out.row(texts[row]).data());
            }
            done += texts.size();
            if (on_progress) on_progress(done);
        });
    require_finite("encode", "text vectors of the module", out.view());
    return out;
}

}  // namespace unitvec
