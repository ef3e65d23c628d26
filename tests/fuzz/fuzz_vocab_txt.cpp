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
    fuzz::check_directory(directory, {"", "Ab cab [MASK]  a\u0301\u65E5!\n", "unaffable [SEP]"});
    return 0;
}
