#pragma once
/// The module "Dense" of sentence-transformers: a linear layer behind pooling.
#include <cstddef>
#include <filesystem>
#include <memory>

#include "unitvec/types.hpp"

namespace unitvec {

/// y = activation(x W^T + b), plus x (or its own projection) where the file says `use_residual`. A
/// row of y depends on its row of x alone, bit for bit. Immutable.
class Dense {
public:
    /// Reads config.json and the safetensors of a module's folder.
    /// @throws FormatError for anything missing, damaged or not supported: of activations Identity,
    ///         Tanh, ReLU, GELU and Sigmoid are, by the last component of their class name
    static Dense load(const std::filesystem::path& directory);

    [[nodiscard]] std::size_t in() const;
    [[nodiscard]] std::size_t out() const;

    /// @param x        shape (n, in)
    /// @param threads  0: default_threads()
    /// @return shape (n, out)
    /// @throws FormatError for weights that give NaN, infinities or numbers beyond 1e15
    [[nodiscard]] Matrix operator()(MatrixView<const float> x, std::size_t threads) const;

    /// What it is made of; defined in src/model.
    struct Weights;
    [[nodiscard]] const Weights& weights() const { return *weights_; }

private:
    explicit Dense(std::shared_ptr<const Weights> weights) : weights_(std::move(weights)) {}
    std::shared_ptr<const Weights> weights_;
};

}  // namespace unitvec
