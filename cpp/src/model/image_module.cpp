#include "unitvec/model/image_module.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <string>

#include "model/script_module.hpp"
#include "model/threads.hpp"
#include "unitvec/error.hpp"

namespace unitvec {
namespace {

std::vector<std::int64_t> shape_of(std::size_t n, std::size_t height, std::size_t width) {
    return {static_cast<std::int64_t>(n), 3, static_cast<std::int64_t>(height),
            static_cast<std::int64_t>(width)};
}

}  // namespace

struct TorchScriptImageEncoder::Module {
    ScriptModule script;
    std::size_t dim = 0;

    /// (n, dim), float32, contiguous
    [[nodiscard]] at::Tensor run(const at::Tensor& pixels) const {
        auto vectors = tensor_of(script.run({pixels}), {"image_embeds", "pooler_output"});
        // (n, dim, 1, 1) is what a pooled convolutional network gives.
        if (vectors.defined() && vectors.dim() == 4 && vectors.size(2) == 1 &&
            vectors.size(3) == 1) {
            vectors = vectors.flatten(1);
        }
        const bool fits = vectors.defined() && vectors.dim() == 2 &&
                          vectors.size(0) == pixels.size(0) && vectors.size(1) > 0 &&
                          vectors.is_floating_point();
        if (!fits) {
            script.fail(
                "expected image vectors of shape (n, dim) as a tensor, the first of a tuple or "
                "list, or \"image_embeds\" or \"pooler_output\" of a dict or named tuple, got " +
                describe(vectors));
        }
        return vectors.to(at::kFloat).contiguous();
    }
};

TorchScriptImageEncoder::TorchScriptImageEncoder(std::unique_ptr<Module> module)
    : module_(std::move(module)) {}
TorchScriptImageEncoder::~TorchScriptImageEncoder() = default;
std::size_t TorchScriptImageEncoder::dim() const {
    return module_->dim;
}

std::unique_ptr<TorchScriptImageEncoder> TorchScriptImageEncoder::load(
    const std::filesystem::path& file, std::size_t height, std::size_t width) {
    const c10::InferenceMode inference;
    auto module = std::make_unique<Module>(Module{ScriptModule(file)});
    const auto& script = module->script;
    if (script.arguments() < 1 || script.required() > 1) {
        script.fail("expected (pixel_values), got " +
                    std::to_string(std::max(script.required(), script.arguments())) +
                    " argument(s)");
    }
    const auto black = at::zeros(shape_of(1, height, width), at::kFloat);
    module->dim = static_cast<std::size_t>(module->run(black).size(1));
    return std::unique_ptr<TorchScriptImageEncoder>(new TorchScriptImageEncoder(std::move(module)));
}

Matrix TorchScriptImageEncoder::embed(const PixelValues& pixels, std::size_t threads) const {
    const c10::InferenceMode inference;
    const ThreadScope scope(threads);
    Matrix out(pixels.n, dim());
    if (pixels.n == 0) return out;
    // A copy: a module may change its input in place, and this memory is the caller's.
    const auto input = at::empty(shape_of(pixels.n, pixels.height, pixels.width), at::kFloat);
    std::copy_n(pixels.data, input.numel(), input.mutable_data_ptr<float>());
    const at::Tensor vectors = module_->run(input);
    if (static_cast<std::size_t>(vectors.size(1)) != dim()) {
        module_->script.fail("expected vectors of length " + std::to_string(dim()) +
                             ", as before, got " + std::to_string(vectors.size(1)));
    }
    std::copy_n(vectors.const_data_ptr<float>(), vectors.numel(), out.data());
    require_finite("encode", "image vectors of the module", out.view());
    return out;
}

}  // namespace unitvec
