#include "unitvec/model/classification_head.hpp"

#include <string>

#include "model/architectures/architecture.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

void require_head(const Safetensors& file, const ModelConfig& config,
                  const ClassifierNames& names) {
    for (const auto& name : {names.dense, names.output}) {
        if (file.contains(name + ".weight")) continue;
        throw FormatError(file.source(), name + ".weight",
                          "expected a sequence-classification head (" + names.dense + " and " +
                              names.output + " in a " + config.model_type +
                              "), got a checkpoint without this layer; load a model trained as a "
                              "cross-encoder or classifier, or use Encoder for this one's vectors");
    }
}

/// The number of labels is the number of rows of the last layer.
std::size_t labels_of(const Safetensors& file, const std::string& name) {
    const auto& shape = file.at(name).shape;
    if (shape.size() != 2 || shape[0] == 0) {
        throw FormatError(file.source(), name, "expected a shape of (labels, width)");
    }
    return shape[0];
}

}  // namespace

struct ClassificationHead::Weights {
    Linear dense;
    LayerActivation activation;
    Linear output;
    std::string source;  // the files, for messages
};

ClassificationHead ClassificationHead::load(const std::filesystem::path& directory) {
    const ModelConfig config = load_config(directory);
    const auto file = Safetensors::open_directory(directory);
    const ClassifierNames& names = architecture_named(config.model_type).classifier;
    require_head(file, config, names);
    const auto labels = labels_of(file, names.output + ".weight");
    const WeightReader reader(file, "");
    return ClassificationHead(std::make_shared<const Weights>(
        Weights{reader.linear(names.dense, config.dim, config.dim), names.activation,
                reader.linear(names.output, labels, config.dim), file.source()}));
}

std::size_t ClassificationHead::dim() const {
    return weights_->dense.in();
}
std::size_t ClassificationHead::labels() const {
    return weights_->output.out();
}

Matrix ClassificationHead::operator()(MatrixView<const float> first, std::size_t threads) const {
    require_dim("ClassificationHead", "first", dim(), first.cols);
    const Matrix hidden = activated(weights_->dense, weights_->activation, first, threads);
    Matrix logits = activated(weights_->output, kIdentity, hidden.view(), threads);
    require_moderate(weights_->source, logits.view());
    return logits;
}

}  // namespace unitvec
