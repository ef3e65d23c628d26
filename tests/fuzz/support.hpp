#pragma once
/// What the fuzz targets share: a directory of their own, and what must hold for every encoding.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "unitvec/error.hpp"
#include "unitvec/text/tokenizer.hpp"
#include "unitvec/text/unicode.hpp"

namespace fuzz {

/// Stops the run with a message: libFuzzer then keeps the input.
inline void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

/// A directory of this process, in memory where the system offers that.
class Directory {
public:
    Directory() {
        const std::filesystem::path memory("/dev/shm");
        const auto base =
            std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
        path_ = base / ("unitvec-fuzz-" + std::to_string(getpid()));
        std::filesystem::create_directories(path_);
    }
    ~Directory() { std::filesystem::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    void write(const char* name, std::string_view content) const {
        std::ofstream(path_ / name, std::ios::binary) << content;
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// Encodes a text in every way and checks what each promises of itself and of the others.
inline void check_encodings(const unitvec::Tokenizer& tokenizer, std::string_view text) {
    const auto e = tokenizer.encode(text);
    const auto n = e.ids.size();
    require(e.type_ids.size() == n && e.attention_mask.size() == n && e.offsets.size() == n &&
                e.special_tokens_mask.size() == n && e.word_ids.size() == n &&
                e.sequence_ids.size() == n,
            "all arrays of an encoding have one length");
    const auto length = unitvec::unicode::count_code_points(text);
    for (const auto& [begin, end] : e.offsets) {
        require(begin <= end && end <= length, "offsets lie in the text");
    }
    std::vector<std::int32_t> ids;
    const auto count = tokenizer.append_ids(text, 0, ids);
    require(ids == e.ids && count == n, "the short way gives the same ids");
    const auto special = tokenizer.special_token_count();
    ids.clear();
    require(tokenizer.append_ids(text, special + 2, ids) == n, "the full length is counted");
    require(ids.size() == std::min(n, special + 2), "a limit is kept");
    const auto windows = tokenizer.encode(text, {}, {.max_length = special + 3, .stride = 1});
    require(windows.ids.size() <= special + 3, "a window keeps the limit");
    const auto decoded = tokenizer.decode(e.ids, false);
    require(unitvec::unicode::is_valid(decoded), "decoded text is UTF-8");
}

/// The tokenizer of a directory keeps its promises on each text, or the directory is refused.
inline void check_directory(const Directory& directory,
                            std::initializer_list<std::string_view> texts) {
    try {
        const auto tokenizer = unitvec::Tokenizer::from_directory(directory.path());
        for (const auto text : texts) check_encodings(tokenizer, text);
    } catch (const unitvec::FormatError&) {
    }
}

}  // namespace fuzz
