/// Any bytes as tokenizer.json: a tokenizer that keeps its promises, or a FormatError.
#include <cstdint>

#include "support.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::Directory directory;
    directory.write("tokenizer.json", {reinterpret_cast<const char*>(data), size});
    try {
        const auto tokenizer = unitvec::Tokenizer::from_directory(directory.path());
        for (const char* text : {"", "ab cab <mask> [MASK]  a\u0301\u65E5!\n", "  a"}) {
            fuzz::check_encodings(tokenizer, text);
        }
    } catch (const unitvec::FormatError&) {
    }
    return 0;
}
