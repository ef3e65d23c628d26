/// Any bytes as tokenizer.json: a tokenizer that keeps its promises, or a FormatError.
#include <cstdint>

#include "support.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::Directory directory;
    directory.write("tokenizer.json", {reinterpret_cast<const char*>(data), size});
    fuzz::check_directory(directory, {"", "ab cab <mask> [MASK]  a\u0301\u65E5!\n", "  a"});
    return 0;
}
