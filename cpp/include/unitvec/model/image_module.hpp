#pragma once
/// A TorchScript module that turns images into vectors.
#include <cstddef>
#include <filesystem>
#include <memory>

#include "unitvec/types.hpp"

namespace unitvec {

/// Images of one size, prepared as the model wants them. A view.
struct PixelValues {
    const float* data = nullptr;  ///< (n, 3, height, width), contiguous
    std::size_t n = 0;
    std::size_t height = 0;
    std::size_t width = 0;
};

/// Runs a module that takes pixel_values (n, 3, height, width), float32, and gives image vectors
/// (n, dim) or (n, dim, 1, 1): as a tensor, as "image_embeds" or "pooler_output" of a dict or named
/// tuple, or as the first of a tuple or list. Any number of threads may use one at the same time.
///
/// A TorchScript file is a program: only load files that you trust.
class TorchScriptImageEncoder {
public:
    /// Loads and freezes the module, and runs it once on a black image to learn its dimension.
    /// @throws FormatError if the file is no TorchScript module, or its forward raises, takes other
    ///         arguments or returns something else
    static std::unique_ptr<TorchScriptImageEncoder> load(const std::filesystem::path& file,
                                                         std::size_t height, std::size_t width);
    ~TorchScriptImageEncoder();

    [[nodiscard]] std::size_t dim() const;

    /// @param threads  0: default_threads()
    /// @return shape (n, dim), as the module scales them
    [[nodiscard]] Matrix embed(const PixelValues& pixels, std::size_t threads) const;

private:
    struct Module;
    explicit TorchScriptImageEncoder(std::unique_ptr<Module> module);
    std::unique_ptr<Module> module_;
};

}  // namespace unitvec
