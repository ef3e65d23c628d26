#include "model/linear.hpp"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>

namespace unitvec {
namespace {

// libtorch exports oneDNN through its operator registry only; the signatures are those of release
// 2.13, which the build requires exactly, and typed() checks them.
using Pack = at::Tensor(const at::Tensor&, std::optional<c10::SymInt>);
using Linear = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                          std::string_view, c10::List<std::optional<at::Scalar>>,
                          std::optional<std::string_view>);
using LinearBinary = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                const std::optional<at::Tensor>&, std::string_view);

// Weights are packed for batches of about this many rows; other sizes give the same bits.
constexpr std::int64_t kRowsHint = 512;

template <typename Signature>
c10::TypedOperatorHandle<Signature> find(const char* name, const char* overload = "") {
    return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

at::Tensor activate(const at::Tensor& y, Activation activation) {
    switch (activation) {
        case Activation::gelu: return at::gelu(y, "none");
        case Activation::gelu_tanh: return at::gelu(y, "tanh");
        case Activation::relu: return at::relu(y);
    }
    return y;
}

}  // namespace

PackedLinear::PackedLinear(const at::Tensor& weight, const at::Tensor& bias)
    : weight_(weight), bias_(bias.contiguous()), packed_(at::globalContext().hasMKLDNN()) {
    if (!packed_) return;
    static const auto pack = find<Pack>("mkldnn::_reorder_linear_weight");
    weight_ = pack.call(weight, c10::SymInt(kRowsHint));
}

at::Tensor PackedLinear::run(const at::Tensor& x, std::string_view post,
                             std::string_view algorithm) const {
    static const auto linear = find<Linear>("mkldnn::_linear_pointwise");
    return linear.call(x, weight_, bias_, post, c10::List<std::optional<at::Scalar>>(), algorithm);
}

at::Tensor PackedLinear::operator()(const at::Tensor& x) const {
    return packed_ ? run(x, "none", "none") : at::linear(x, weight_, bias_);
}

at::Tensor PackedLinear::activated(const at::Tensor& x, Activation activation) const {
    if (!packed_) return activate((*this)(x), activation);
    if (activation == Activation::relu) return run(x, "relu", "none");
    return run(x, "gelu", activation == Activation::gelu ? "none" : "tanh");
}

at::Tensor PackedLinear::added(const at::Tensor& x, const at::Tensor& residual) const {
    if (!packed_) return (*this)(x).add_(residual);
    static const auto linear = find<LinearBinary>("mkldnn::_linear_pointwise", "binary");
    return linear.call(x, residual, weight_, bias_, "add");
}

}  // namespace unitvec
