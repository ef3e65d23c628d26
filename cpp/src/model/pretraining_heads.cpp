#include "unitvec/model/pretraining_heads.hpp"

#include <string>

#include "kernels/encoder.hpp"
#include "model/architectures/architecture.hpp"
#include "unitvec/cpu.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

void require_layer(const Safetensors& file, const std::string& name, const ModelConfig& config,
                   const std::string& head) {
    if (file.contains(name)) return;
    throw FormatError(file.source(), name,
                      "expected " + head + " of a " + config.model_type +
                          ", got a checkpoint without this layer; load one saved with its head "
                          "(\"ForMaskedLM\", \"ForPreTraining\")");
}

LayerActivation activation_of(Activation activation) {
    switch (activation) {
        case Activation::gelu: return kGelu;
        case Activation::gelu_tanh: return {.epilogue = kernels::Epilogue::gelu_tanh};
        case Activation::relu: return kRelu;
    }
    return kIdentity;
}

/// The table of words, at the top or below the model's own prefix.
std::string tied_name(const Safetensors& file, const MaskedWordNames& names) {
    const std::string table = "embeddings.word_embeddings.weight";
    return file.contains(names.trunk + table) ? names.trunk + table : table;
}

/// Untied, a decoder has a bias of its own; tied, the head's is the decoder's too.
std::string bias_name(const Safetensors& file, const MaskedWordNames& names, bool tied) {
    const std::string own = names.decoder + ".bias";
    const std::string heads = names.bias;
    const auto& first = tied ? heads : own;
    return file.contains(first) ? first : tied ? own : heads;
}

Linear read_decoder(const Safetensors& file, const ModelConfig& config,
                    const MaskedWordNames& names, bool tied) {
    const auto weight = tied ? tied_name(file, names) : names.decoder + ".weight";
    const auto bias = bias_name(file, names, tied);
    for (const auto& name : {weight, bias})
        require_layer(file, name, config, "a head for masked words");
    const WeightReader reader(file, "");
    const auto rows = reader.read(weight, {config.vocab_size, config.embedding_dim});
    const auto biases = reader.read(bias, {config.vocab_size});
    return {{rows.data(), config.vocab_size, config.embedding_dim}, biases};
}

}  // namespace

struct MaskedWordHead::Weights {
    Linear dense;
    LayerActivation activation;
    LayerNormWeights norm;
    float epsilon;
    Linear decoder;
    std::string source;  // the files, for messages
};

MaskedWordHead MaskedWordHead::load(const std::filesystem::path& directory) {
    const ModelConfig config = load_config(directory);
    const auto file = Safetensors::open_directory(directory);
    const MaskedWordNames& names = architecture_named(config.model_type).masked_words;
    require_layer(file, names.dense + ".weight", config, "a head for masked words");
    const WeightReader reader(file, "");
    return MaskedWordHead(std::make_shared<const Weights>(
        Weights{.dense = reader.linear(names.dense, config.embedding_dim, config.dim),
                .activation = names.own_gelu ? kGelu : activation_of(config.activation),
                .norm = reader.layer_norm(names.norm, config.embedding_dim),
                .epsilon = config.layer_norm_eps,
                .decoder = read_decoder(file, config, names, config.tied_words),
                .source = file.source()}));
}

std::size_t MaskedWordHead::dim() const {
    return weights_->dense.in();
}
std::size_t MaskedWordHead::vocab_size() const {
    return weights_->decoder.out();
}

Matrix MaskedWordHead::operator()(MatrixView<const float> tokens, std::size_t threads) const {
    require_dim("MaskedWordHead", "tokens", dim(), tokens.cols);
    Matrix hidden = activated(weights_->dense, weights_->activation, tokens, threads);
    const auto& kernels = kernels::encoder_kernels(active_isa());
    kernels.layer_norm(hidden.data(), weights_->norm.gamma.data(), weights_->norm.beta.data(),
                       weights_->epsilon, hidden.rows(), hidden.cols(), hidden.data());
    Matrix logits = activated(weights_->decoder, kIdentity, hidden.view(), threads);
    require_moderate(weights_->source, logits.view());
    return logits;
}

struct NextSentenceHead::Weights {
    Linear output;
    std::string source;
};

NextSentenceHead NextSentenceHead::load(const std::filesystem::path& directory) {
    const ModelConfig config = load_config(directory);
    const auto file = Safetensors::open_directory(directory);
    const std::string name = "cls.seq_relationship";
    require_layer(file, name + ".weight", config, "a head for next sentences (BERT's)");
    const WeightReader reader(file, "");
    return NextSentenceHead(std::make_shared<const Weights>(
        Weights{reader.linear(name, 2, config.dim), file.source()}));
}

std::size_t NextSentenceHead::dim() const {
    return weights_->output.in();
}

Matrix NextSentenceHead::operator()(MatrixView<const float> pooled, std::size_t threads) const {
    require_dim("NextSentenceHead", "pooled", dim(), pooled.cols);
    Matrix logits = activated(weights_->output, kIdentity, pooled, threads);
    require_moderate(weights_->source, logits.view());
    return logits;
}

}  // namespace unitvec
