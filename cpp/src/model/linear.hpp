#pragma once
/// Linear layers with weights packed once for oneDNN.
#include <ATen/core/Tensor.h>

#include <string_view>

#include "unitvec/model/config.hpp"

namespace unitvec {

/// y = x W^T + b, through oneDNN's inner product with W in the blocked layout that it prefers; the
/// activation or the residual addition that follows is done while the result is still in registers.
/// A row of y depends on its row of x alone, bit for bit, whatever the number of rows or threads.
class PackedLinear {
public:
    /// @param weight  shape (out, in), float32
    /// @param bias    shape (out)
    PackedLinear(const at::Tensor& weight, const at::Tensor& bias);

    /// @param x  shape (tokens, in), contiguous float32
    /// @return   shape (tokens, out)
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
    [[nodiscard]] at::Tensor activated(const at::Tensor& x, Activation activation) const;
    /// y + residual
    [[nodiscard]] at::Tensor added(const at::Tensor& x, const at::Tensor& residual) const;

private:
    [[nodiscard]] at::Tensor run(const at::Tensor& x, std::string_view post,
                                 std::string_view algorithm) const;

    at::Tensor weight_;  // blocked, opaque to all but oneDNN; plain where oneDNN is absent
    at::Tensor bias_;
    bool packed_;
};

}  // namespace unitvec
