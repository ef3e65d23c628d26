#pragma once
/// A random BERT of a few thousand weights, as files on disk and as a slow, obvious reference.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

struct Tensor {
    std::vector<std::size_t> shape;
    std::vector<float> values;
};
using Tensors = std::map<std::string, Tensor>;

/// Writes `folder`/model.safetensors, each name with `prefix` before it.
void save_tensors(const Tensors& tensors, const std::filesystem::path& folder,
                  const std::string& prefix = "");

/// Weights by their names in a checkpoint.
struct TinyBert {
    std::size_t vocab = 50, dim = 24, layers = 2, heads = 3, intermediate = 40, positions = 20,
                types = 2;
    Tensors tensors;

    /// @param seed  the same seed gives the same model everywhere
    explicit TinyBert(std::uint64_t seed);

    /// config.json as a JSON text.
    [[nodiscard]] std::string config() const;
    /// Writes config.json and model.safetensors, each name with `prefix` before it.
    void save(const std::filesystem::path& folder, const std::string& prefix = "") const;

    /// Token vectors before the first layer and after each, (layers + 1) x (tokens x dim), in
    /// double and straight from the formulas of Devlin et al.
    [[nodiscard]] std::vector<std::vector<double>> hidden_states(
        const std::vector<std::int32_t>& ids, const std::vector<std::int32_t>& types) const;
};
