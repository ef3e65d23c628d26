// Text in, neighbours out: the whole way from a text file to ranked answers, without Python.
//
//   unitvec_neighbours MODEL DOCUMENTS QUERY...
//
// MODEL is a folder with config.json, safetensors and a tokenizer; DOCUMENTS a text file, one
// document a line. Exit codes: 0 done, 1 the work failed, 2 wrong usage.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "unitvec/model/encoder.hpp"
#include "unitvec/search/index.hpp"
#include "unitvec/text/tokenizer.hpp"

namespace {

constexpr const char* kUsage =
    "usage: unitvec_neighbours [-k N] [--pooling mean|cls] MODEL DOCUMENTS QUERY...\n"
    "\n"
    "  MODEL             a folder with config.json, safetensors and a tokenizer\n"
    "  DOCUMENTS         a text file, one document a line; empty lines are left out\n"
    "  QUERY...          texts to find neighbours of\n"
    "  -k N              neighbours of each (default 3)\n"
    "  --pooling MODE    how token vectors become a text's (default mean)\n"
    "\n"
    "Vectors have length 1, so scores are cosines. Texts are cut to what the model reads, which "
    "is\n"
    "said on standard error.\n";

struct Arguments {
    std::filesystem::path model;
    std::filesystem::path documents;
    std::vector<std::string_view> queries;
    std::size_t k = 3;
    unitvec::Pooling pooling = unitvec::Pooling::mean;
};

/// A whole number above 0.
std::optional<std::size_t> parse_count(std::string_view text) {
    std::size_t count = 0;
    const auto end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc() || stop != end || count == 0) return std::nullopt;
    return count;
}

/// Nothing on wrong usage.
std::optional<Arguments> parse(std::span<char*> words) {
    Arguments arguments;
    std::vector<std::string_view> places;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (word != "-k" && word != "--pooling") {
            if (word.starts_with("-")) return std::nullopt;
            places.push_back(word);
            continue;
        }
        if (++i == words.size()) return std::nullopt;
        const std::string_view value = words[i];
        if (word == "-k") {
            const auto k = parse_count(value);
            if (!k) return std::nullopt;
            arguments.k = *k;
        } else if (value == "mean" || value == "cls") {
            arguments.pooling = unitvec::pooling_from_name(value);
        } else {
            return std::nullopt;
        }
    }
    if (places.size() < 3) return std::nullopt;
    arguments.model = places[0];
    arguments.documents = places[1];
    arguments.queries.assign(places.begin() + 2, places.end());
    return arguments;
}

std::vector<std::string> read_lines(const std::filesystem::path& file) {
    std::ifstream stream(file);
    if (!stream) throw std::runtime_error("cannot read " + file.string());
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        if (line.ends_with('\r')) line.pop_back();
        if (!line.empty()) lines.push_back(line);
    }
    if (stream.bad() || lines.empty()) {
        throw std::runtime_error("expected documents, one a line, in " + file.string());
    }
    return lines;
}

/// A model directory: texts to unit vectors.
class TextEncoder {
public:
    TextEncoder(const std::filesystem::path& directory, unitvec::Pooling pooling)
        : tokenizer_(unitvec::Tokenizer::from_directory(directory)),
          encoder_(unitvec::TransformerEncoder::load(directory)) {
        options_.pooling.modes = {pooling};
    }

    [[nodiscard]] std::size_t dim() const { return encoder_->dim(); }

    /// @return shape (texts, dim), rows of length 1
    [[nodiscard]] unitvec::Matrix operator()(std::span<const std::string_view> texts) const {
        const std::size_t limit = encoder_->max_positions();
        const auto tokens = unitvec::tokenize(tokenizer_, texts, limit, 0);
        const auto cut = std::ranges::count_if(tokens.full_lengths,
                                               [&](std::size_t length) { return length > limit; });
        if (cut > 0) {
            std::fprintf(stderr,
                         "%td of %zu texts were cut to the %zu tokens that the model reads\n", cut,
                         texts.size(), limit);
        }
        return unitvec::embed(*encoder_, tokens, options_);
    }

private:
    unitvec::Tokenizer tokenizer_;
    std::unique_ptr<unitvec::TransformerEncoder> encoder_;
    unitvec::EmbedOptions options_;
};

void print_neighbours(std::string_view query, std::span<const unitvec::Id> ids,
                      std::span<const float> scores, const std::vector<std::string>& documents) {
    std::printf("%.*s\n", static_cast<int>(query.size()), query.data());
    for (std::size_t i = 0; i < ids.size() && ids[i] >= 0; ++i) {
        std::printf("  %.4f  %s\n", static_cast<double>(scores[i]),
                    documents[static_cast<std::size_t>(ids[i])].c_str());
    }
}

void run(const Arguments& arguments) {
    const auto documents = read_lines(arguments.documents);
    const TextEncoder encode(arguments.model, arguments.pooling);
    unitvec::Index index(encode.dim(), {.kind = unitvec::IndexKind::automatic});
    index.add(encode(std::vector<std::string_view>(documents.begin(), documents.end())).view());

    const auto queries = encode(arguments.queries);
    const auto found = index.search(queries.view(), {.k = arguments.k});
    for (std::size_t q = 0; q < arguments.queries.size(); ++q) {
        const auto ids = std::span(found.ids).subspan(q * found.scores.cols(), found.scores.cols());
        print_neighbours(arguments.queries[q], ids, found.scores.row(q), documents);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = parse(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    if (!arguments) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    try {
        run(*arguments);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "unitvec_neighbours: %s\n", error.what());
        return 1;
    }
    return std::fflush(stdout) == 0 ? 0 : 1;
}
