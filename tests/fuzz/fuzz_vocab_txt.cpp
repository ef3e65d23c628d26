/// Any bytes as vocab.txt (up to the first zero byte) and tokenizer_config.json (behind it).
#include <algorithm>
#include <cstdint>

#include "support.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::Directory directory;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto zero = std::min(input.find('\0'), input.size());
    directory.write("vocab.txt", input.substr(0, zero));
    const auto config = input.substr(std::min(zero + 1, input.size()));
    directory.write("tokenizer_config.json", config.empty() ? "{}" : config);
    try {
        const auto tokenizer = unitvec::Tokenizer::from_directory(directory.path());
        for (const char* text : {"", "Ab cab [MASK]  a\u0301\u65E5!\n", "unaffable [SEP]"}) {
            fuzz::check_encodings(tokenizer, text);
        }
    } catch (const unitvec::FormatError&) {
    }
    return 0;
}
