/// Any bytes as model.safetensors: tensors whose every byte can be read, or a FormatError.
#include <cmath>
#include <cstdint>

#include "model/weights.hpp"
#include "support.hpp"

using namespace unitvec;

namespace {

/// Reads all that the header promises. @return bytes of tensors
std::size_t read_everything(const Safetensors& file) {
    std::size_t bytes = 0;
    unsigned sum = 0;
    for (const auto& name : file.names()) {
        const auto& tensor = file.at(name);
        for (const std::byte b : tensor.bytes) sum += std::to_integer<unsigned>(b);
        bytes += tensor.bytes.size();
        try {
            for (const float x : WeightReader(file, "").read(name, tensor.shape)) {
                fuzz::require(std::isfinite(x), "weights are finite");
            }
        } catch (const FormatError&) {
        }
    }
    [[maybe_unused]] static volatile unsigned sink;
    sink = sum;  // so that the bytes have to be read
    return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::Directory directory;
    directory.write("model.safetensors", {reinterpret_cast<const char*>(data), size});
    try {
        const auto file = Safetensors::open_directory(directory.path());
        std::uint64_t header = 0;
        for (std::size_t i = 0; i < 8; ++i) header |= std::uint64_t{data[i]} << (8 * i);
        fuzz::require(read_everything(file) == size - 8 - header, "the tensors fill the file");
    } catch (const FormatError&) {
    }
    return 0;
}
