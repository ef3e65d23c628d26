#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "kernels/encoder.hpp"
#include "model/activated.hpp"
#include "model/architectures/architecture.hpp"
#include "model/weights.hpp"
#include "pool.hpp"
#include "unitvec/error.hpp"
#include "unitvec/model/encoder.hpp"
#include "unitvec/model/step_times.hpp"
#include "unitvec/parallel.hpp"

namespace unitvec {
namespace {

using kernels::EncoderKernels;
using kernels::Epilogue;

// Multiplications of attention, some 10 us of them, below which one thread does them all.
constexpr std::size_t kLeastWork = std::size_t{1} << 17;

void require_readable(const ModelConfig& config, const Batch& batch) {
    for (std::size_t t = 0; t < batch.texts(); ++t) {
        if (batch.length(t) > config.max_positions()) {
            throw_invalid("encode",
                          "at most " + std::to_string(config.max_positions()) + " tokens a text",
                          std::to_string(batch.length(t)) + " in text " + std::to_string(t));
        }
    }
    for (const std::int32_t id : batch.input_ids) {
        if (id < 0 || static_cast<std::size_t>(id) >= config.vocab_size) {
            throw_invalid("encode", "token ids in [0, " + std::to_string(config.vocab_size) + ")",
                          std::to_string(id));
        }
    }
    if (config.type_vocab_size <= 1) return;  // such models do not look at types
    for (const std::int32_t type : batch.token_type_ids) {
        if (type < 0 || static_cast<std::size_t>(type) >= config.type_vocab_size) {
            throw_invalid("encode",
                          "token types in [0, " + std::to_string(config.type_vocab_size) + ")",
                          std::to_string(type));
        }
    }
}

Epilogue epilogue_of(Activation activation) {
    switch (activation) {
        case Activation::gelu: return Epilogue::gelu;
        case Activation::gelu_tanh: return Epilogue::gelu_tanh;
        case Activation::relu: return Epilogue::relu;
    }
    return Epilogue::none;
}

/// The activations of one forward pass; grown as needed and used again by later passes, because
/// fresh memory of this size costs a page fault for every 4 KB.
struct Workspace {
    AlignedVector<float> embedding;  // (tokens, embedding_dim), where that is not dim
    AlignedVector<float> qkv;        // (tokens, 3 dim)
    AlignedVector<float> context;    // (tokens, dim): what attention gathered
    AlignedVector<float> attended;   // (tokens, dim): after the attention block
    AlignedVector<float> inner;      // (tokens, intermediate)
    AlignedVector<float> scratch;    // one attention scratch a thread

    static float* at_least(AlignedVector<float>& buffer, std::size_t size) {
        if (buffer.size() < size) buffer = AlignedVector<float>(size);
        return buffer.data();
    }
};

/// One forward pass over one batch.
class Forward {
public:
    Forward(const TransformerWeights& weights, const Batch& batch, Workspace& space,
            std::size_t threads)
        : weights_(weights), config_(weights.config), batch_(batch), space_(space),
          threads_(threads), kernels_(kernels::encoder_kernels(active_isa())) {}

    /// Calls `visit` with x after the input embedding and after each layer.
    /// @param x  shape (tokens, dim): the result
    void run(float* x, const std::function<void()>& visit) const {
        const std::size_t n = batch_.tokens();
        timed_(Step::embeddings, [&] { input_embedding(x); });
        visit();
        float* qkv = Workspace::at_least(space_.qkv, n * 3 * config_.dim);
        float* context = Workspace::at_least(space_.context, n * config_.dim);
        float* attended = Workspace::at_least(space_.attended, n * config_.dim);
        float* inner = Workspace::at_least(space_.inner, n * config_.intermediate);
        for (std::size_t i = 0; i < config_.layers; ++i) {
            const LayerWeights& layer = weights_.layer(i);
            timed_(Step::qkv, [&] { layer.qkv(x, n, Epilogue::none, nullptr, qkv, threads_); });
            timed_(Step::attention, [&] { attention(qkv, context); });
            timed_(Step::attention_output,
                   [&] { layer.output(context, n, Epilogue::add, x, attended, threads_); });
            timed_(Step::layer_norms, [&] { normalize(attended, layer.attention_norm); });
            timed_(Step::intermediate, [&] {
                layer.intermediate(attended, n, epilogue_of(config_.activation), nullptr, inner,
                                   threads_);
            });
            timed_(Step::dense,
                   [&] { layer.dense(inner, n, Epilogue::add, attended, x, threads_); });
            timed_(Step::layer_norms, [&] { normalize(x, layer.output_norm); });
            visit();
        }
    }

private:
    void input_embedding(float* x) const {
        if (!weights_.embedding_projection) return embed(x);
        const std::size_t n = batch_.tokens();
        float* narrow = Workspace::at_least(space_.embedding, n * config_.embedding_dim);
        embed(narrow);
        (*weights_.embedding_projection)(narrow, n, Epilogue::none, nullptr, x, threads_);
    }

    /// @param x  shape (tokens, embedding_dim): the result
    void embed(float* x) const {
        const std::size_t dim = config_.embedding_dim;
        const kernels::EmbeddingTables tables{
            weights_.position.data(),
            weights_.type.empty() ? nullptr : weights_.type.data(),
            weights_.embedding_norm.gamma.data(),
            weights_.embedding_norm.beta.data(),
            dim,
            config_.layer_norm_eps};
        const auto& types = batch_.token_type_ids;
        const bool has_types = !types.empty() && config_.type_vocab_size > 1;
        const std::int32_t padding = config_.padding_id.value_or(-1);
        for (std::size_t t = 0; t < batch_.texts(); ++t) {
            auto next_position = static_cast<std::size_t>(padding + 1);
            for (std::size_t i = batch_.offsets[t]; i < batch_.offsets[t + 1]; ++i) {
                const float* word =
                    weights_.word.row(static_cast<std::size_t>(batch_.input_ids[i]), x + i * dim);
                const auto type = has_types ? static_cast<std::size_t>(types[i]) : 0;
                const bool is_padding = batch_.input_ids[i] == padding;
                const auto position =
                    is_padding ? static_cast<std::size_t>(padding) : next_position++;
                kernels_.embed_token(tables, word, position, type, x + i * dim);
            }
        }
    }

    void normalize(float* x, const LayerNormWeights& norm) const {
        constexpr std::size_t kRows = 32;  // of a task: some microseconds
        const std::size_t n = batch_.tokens();
        const std::size_t dim = config_.dim;
        const bool shared = n >= 2 * kRows;  // fewer rows cost less than waking a thread
        parallel_for(
            (n + kRows - 1) / kRows, shared ? threads_ : 1, [&](std::size_t task, std::size_t) {
                const std::size_t first = task * kRows;
                float* rows = x + first * dim;
                kernels_.layer_norm(rows, norm.gamma.data(), norm.beta.data(),
                                    config_.layer_norm_eps, std::min(kRows, n - first), dim, rows);
            });
    }

    /// @param qkv  shape (tokens, 3 dim): queries, keys and values side by side
    /// @param out  shape (tokens, dim)
    void attention(const float* qkv, float* out) const {
        const std::size_t size = kernels_.attention_scratch(batch_.longest(), config_.head_dim());
        // Allocated out here: an exception must not leave the parallel loop.
        float* scratch = Workspace::at_least(space_.scratch, size * threads_);
        parallel_for(batch_.texts() * config_.heads, attention_work() < kLeastWork ? 1 : threads_,
                     [&](std::size_t task, std::size_t worker) {
                         const auto head =
                             head_of(qkv, out, task / config_.heads, task % config_.heads);
                         kernels_.attention(head, scratch + worker * size);
                     });
    }

    /// Multiplications of all heads of all texts.
    [[nodiscard]] std::size_t attention_work() const {
        std::size_t pairs = 0;
        for (std::size_t t = 0; t < batch_.texts(); ++t)
            pairs += batch_.length(t) * batch_.length(t);
        return 2 * pairs * config_.dim;
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
                .scale = 1.0F / std::sqrt(static_cast<float>(head_dim)),
                .relative_bias = weights_.relative_bias.of_head(head)};
    }

    const TransformerWeights& weights_;
    const ModelConfig& config_;
    const Batch& batch_;
    Workspace& space_;
    std::size_t threads_;
    const EncoderKernels& kernels_;
    StepTimer timed_;
};

}  // namespace

struct TransformerEncoder::Weights : TransformerWeights {
    explicit Weights(TransformerWeights&& weights) : TransformerWeights(std::move(weights)) {}

    void run(const Batch& batch, std::size_t threads, float* x,
             const std::function<void()>& visit) const {
        require_readable(config, batch);
        if (batch.tokens() == 0) {
            for (std::size_t i = 0; i <= config.layers; ++i) visit();
            return;
        }
        auto space = workspaces.take();
        Forward(*this, batch, *space, threads_or_default(threads)).run(x, visit);
        workspaces.give_back(std::move(space));
        require_moderate(source, {x, batch.tokens(), config.dim});
    }

    mutable Pool<Workspace> workspaces;  // one a concurrent pass
};

TransformerEncoder::TransformerEncoder(std::unique_ptr<const Weights> weights)
    : weights_(std::move(weights)) {}
TransformerEncoder::~TransformerEncoder() = default;

std::unique_ptr<TransformerEncoder> TransformerEncoder::load(const std::filesystem::path& directory,
                                                             DType dtype) {
    auto weights = std::make_unique<const Weights>(read_transformer(directory, dtype));
    return std::unique_ptr<TransformerEncoder>(new TransformerEncoder(std::move(weights)));
}

const ModelConfig& TransformerEncoder::config() const {
    return weights_->config;
}
std::size_t TransformerEncoder::parameters() const {
    return weights_->parameters();
}
std::size_t TransformerEncoder::dim() const {
    return weights_->config.dim;
}
std::size_t TransformerEncoder::max_positions() const {
    return weights_->config.max_positions();
}

std::vector<Matrix> TransformerEncoder::hidden_states(
    const Batch& batch, std::size_t threads, const std::function<void()>& between_layers) const {
    Matrix x(batch.tokens(), dim());
    std::vector<Matrix> states;
    weights_->run(batch, threads, x.data(), [&] {
        between_layers();
        states.push_back(x);
    });
    return states;
}

void TransformerEncoder::token_embeddings(const Batch& batch, std::size_t threads,
                                          MatrixView<float> out,
                                          const std::function<void()>& between_layers) const {
    require_dim("token_embeddings", "rows of out", batch.tokens(), out.rows);
    require_dim("token_embeddings", "out", dim(), out.cols);
    weights_->run(batch, threads, out.data, between_layers);
}

bool TransformerEncoder::has_pooler() const {
    return weights_->pooler.has_value();
}

Matrix TransformerEncoder::pooler_output(MatrixView<const float> first, std::size_t threads) const {
    if (!has_pooler()) {
        throw_invalid("pooler_output", "a checkpoint with a pooler",
                      config().model_type + " without one");
    }
    require_dim("pooler_output", "first", dim(), first.cols);
    Matrix out = activated(*weights_->pooler, kTanh, first, threads);
    require_moderate(weights_->source, out.view());
    return out;
}

}  // namespace unitvec
