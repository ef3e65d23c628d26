#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "kernels/encoder.hpp"
#include "model/threads.hpp"
#include "model/weights.hpp"
#include "unitvec/error.hpp"
#include "unitvec/model/encoder.hpp"

namespace unitvec {
namespace {

using kernels::EncoderKernels;

at::Tensor empty_rows(std::size_t rows, std::size_t cols) {
    return at::empty({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols)},
                     at::kFloat);
}

void require_readable(const ModelConfig& config, const Batch& batch) {
    for (std::size_t t = 0; t < batch.texts(); ++t) {
        if (batch.length(t) > config.max_positions) {
            throw_invalid("encode",
                          "at most " + std::to_string(config.max_positions) + " tokens a text",
                          std::to_string(batch.length(t)) + " in text " + std::to_string(t));
        }
    }
    for (const std::int32_t id : batch.input_ids) {
        if (id < 0 || static_cast<std::size_t>(id) >= config.vocab_size) {
            throw_invalid("encode", "token ids in [0, " + std::to_string(config.vocab_size) + ")",
                          std::to_string(id));
        }
    }
    for (const std::int32_t type : batch.token_type_ids) {
        if (type < 0 || static_cast<std::size_t>(type) >= config.type_vocab_size) {
            throw_invalid("encode",
                          "token types in [0, " + std::to_string(config.type_vocab_size) + ")",
                          std::to_string(type));
        }
    }
}

/// One forward pass over one batch; called with inference mode and the thread count set.
class Forward {
public:
    Forward(const TransformerWeights& weights, const Batch& batch)
        : weights_(weights), config_(weights.config), batch_(batch),
          kernels_(kernels::encoder_kernels(active_isa())) {}

    /// Calls `visit` with the input embedding and after each layer, each (tokens, dim).
    void run(const std::function<void(const at::Tensor&)>& visit) const {
        at::Tensor x = embed();
        visit(x);
        for (const LayerWeights& layer : weights_.layers) {
            at::Tensor attended = layer.output.added(attention(layer.qkv(x)), x);
            normalize(attended, layer.attention_norm);
            const at::Tensor inner = layer.intermediate.activated(attended, config_.activation);
            x = layer.dense.added(inner, attended);
            normalize(x, layer.output_norm);
            visit(x);
        }
    }

private:
    [[nodiscard]] at::Tensor embed() const {
        const kernels::EmbeddingTables tables{weights_.word.const_data_ptr<float>(),
                                              weights_.position.const_data_ptr<float>(),
                                              weights_.type.const_data_ptr<float>(),
                                              weights_.embedding_norm.gamma.const_data_ptr<float>(),
                                              weights_.embedding_norm.beta.const_data_ptr<float>(),
                                              config_.dim,
                                              config_.layer_norm_eps};
        at::Tensor x = empty_rows(batch_.tokens(), config_.dim);
        float* out = x.mutable_data_ptr<float>();
        const auto& types = batch_.token_type_ids;
        for (std::size_t t = 0; t < batch_.texts(); ++t) {
            for (std::size_t i = batch_.offsets[t]; i < batch_.offsets[t + 1]; ++i) {
                const auto id = static_cast<std::size_t>(batch_.input_ids[i]);
                const auto type = types.empty() ? 0 : static_cast<std::size_t>(types[i]);
                kernels_.embed_token(tables, id, i - batch_.offsets[t], type,
                                     out + i * config_.dim);
            }
        }
        return x;
    }

    void normalize(at::Tensor& x, const LayerNormWeights& norm) const {
        float* rows = x.mutable_data_ptr<float>();
        const float* gamma = norm.gamma.const_data_ptr<float>();
        const float* beta = norm.beta.const_data_ptr<float>();
        const auto n = static_cast<std::int64_t>(batch_.tokens());
        const std::size_t dim = config_.dim;
#pragma omp parallel for schedule(static) if (n > 32)
        for (std::int64_t r = 0; r < n; ++r) {
            float* row = rows + static_cast<std::size_t>(r) * dim;
            kernels_.layer_norm(row, gamma, beta, config_.layer_norm_eps, 1, dim, row);
        }
    }

    /// @param qkv  shape (tokens, 3 dim): queries, keys and values side by side
    /// @return     shape (tokens, dim)
    [[nodiscard]] at::Tensor attention(const at::Tensor& qkv) const {
        at::Tensor out = empty_rows(batch_.tokens(), config_.dim);
        const float* in = qkv.const_data_ptr<float>();
        float* result = out.mutable_data_ptr<float>();
        const std::size_t scratch_size =
            kernels_.attention_scratch(batch_.longest(), config_.head_dim());
        const auto tasks = static_cast<std::int64_t>(batch_.texts() * config_.heads);
        // One scratch a thread, allocated out here: an exception must not leave the parallel loop.
        AlignedVector<float> scratch(scratch_size *
                                     static_cast<std::size_t>(omp_get_max_threads()));
#pragma omp parallel for schedule(dynamic)
        for (std::int64_t task = 0; task < tasks; ++task) {
            const auto text = static_cast<std::size_t>(task) / config_.heads;
            const auto head = static_cast<std::size_t>(task) % config_.heads;
            const auto thread = static_cast<std::size_t>(omp_get_thread_num());
            kernels_.attention(head_of(in, result, text, head),
                               scratch.data() + thread * scratch_size);
        }
        return out;
    }

    [[nodiscard]] kernels::AttentionHead head_of(const float* qkv, float* out, std::size_t text,
                                                 std::size_t head) const {
        const std::size_t dim = config_.dim;
        const std::size_t head_dim = config_.head_dim();
        const std::size_t first = batch_.offsets[text];
        const float* q = qkv + first * 3 * dim + head * head_dim;
        return {.q = q,
                .k = q + dim,
                .v = q + 2 * dim,
                .out = out + first * dim + head * head_dim,
                .stride = 3 * dim,
                .out_stride = dim,
                .seq_len = batch_.length(text),
                .head_dim = head_dim,
                .scale = 1.0F / std::sqrt(static_cast<float>(head_dim))};
    }

    const TransformerWeights& weights_;
    const ModelConfig& config_;
    const Batch& batch_;
    const EncoderKernels& kernels_;
};

Matrix to_matrix(const at::Tensor& x) {
    Matrix matrix(static_cast<std::size_t>(x.size(0)), static_cast<std::size_t>(x.size(1)));
    std::copy_n(x.const_data_ptr<float>(), matrix.view().size(), matrix.data());
    return matrix;
}

}  // namespace

struct TransformerEncoder::Weights : TransformerWeights {
    explicit Weights(TransformerWeights&& weights) : TransformerWeights(std::move(weights)) {}
};

TransformerEncoder::TransformerEncoder(std::unique_ptr<const Weights> weights)
    : weights_(std::move(weights)) {}
TransformerEncoder::~TransformerEncoder() = default;

std::unique_ptr<TransformerEncoder> TransformerEncoder::load(
    const std::filesystem::path& directory) {
    const c10::InferenceMode inference;
    const ModelConfig config = load_config(directory);
    const auto file = Safetensors::open_directory(directory);
    auto weights = std::make_unique<const Weights>(read_bert(file, config));
    return std::unique_ptr<TransformerEncoder>(new TransformerEncoder(std::move(weights)));
}

const ModelConfig& TransformerEncoder::config() const {
    return weights_->config;
}
std::size_t TransformerEncoder::parameters() const {
    return weights_->config.parameters();
}
std::size_t TransformerEncoder::dim() const {
    return weights_->config.dim;
}
std::size_t TransformerEncoder::max_positions() const {
    return weights_->config.max_positions;
}

std::vector<Matrix> TransformerEncoder::hidden_states(const Batch& batch,
                                                      std::size_t threads) const {
    require_readable(weights_->config, batch);
    std::vector<Matrix> states;
    if (batch.tokens() == 0) {
        for (std::size_t i = 0; i <= weights_->config.layers; ++i) states.emplace_back(0, dim());
        return states;
    }
    const c10::InferenceMode inference;
    const ThreadScope scope(threads);
    Forward(*weights_, batch).run([&](const at::Tensor& x) { states.push_back(to_matrix(x)); });
    return states;
}

Matrix TransformerEncoder::token_embeddings(const Batch& batch, std::size_t threads) const {
    require_readable(weights_->config, batch);
    if (batch.tokens() == 0) return {0, dim()};
    const c10::InferenceMode inference;
    const ThreadScope scope(threads);
    at::Tensor last;
    Forward(*weights_, batch).run([&](const at::Tensor& x) { last = x; });
    return to_matrix(last);
}

}  // namespace unitvec
