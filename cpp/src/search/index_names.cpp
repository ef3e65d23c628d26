#include <faiss/Index.h>

#include <array>
#include <string>

#include "unitvec/error.hpp"
#include "unitvec/search/index.hpp"

namespace unitvec {
namespace {

constexpr std::array kKinds{IndexKind::flat, IndexKind::hnsw, IndexKind::ivf, IndexKind::ivfpq,
                            IndexKind::automatic};
constexpr std::array kMetrics{Metric::cosine, Metric::dot, Metric::euclidean, Metric::manhattan,
                              Metric::hamming};

template <typename Values>
auto parse(const char* what, const Values& values, std::string_view wanted) {
    std::string known;
    for (const auto value : values) {
        if (name(value) == wanted) return value;
        known.append(known.empty() ? "\"" : ", \"").append(name(value)).append("\"");
    }
    throw_invalid("Index", std::string(what) + " one of " + known,
                  "\"" + std::string(wanted) + "\"");
}

}  // namespace

std::string_view name(IndexKind kind) {
    switch (kind) {
        case IndexKind::flat: return "flat";
        case IndexKind::hnsw: return "hnsw";
        case IndexKind::automatic: return "auto";
        case IndexKind::ivf: return "ivf";
        case IndexKind::ivfpq: return "ivfpq";
    }
    return "unknown";
}

std::string_view name(Metric metric) {
    switch (metric) {
        case Metric::cosine: return "cosine";
        case Metric::dot: return "dot";
        case Metric::euclidean: return "euclidean";
        case Metric::manhattan: return "manhattan";
        case Metric::hamming: return "hamming";
    }
    return "unknown";
}

IndexKind parse_index_kind(std::string_view name) {
    return parse("kind to be", kKinds, name);
}
Metric parse_metric(std::string_view name) {
    return parse("metric to be", kMetrics, name);
}

std::string faiss_version() {
    return std::to_string(FAISS_VERSION_MAJOR) + "." + std::to_string(FAISS_VERSION_MINOR) + "." +
           std::to_string(FAISS_VERSION_PATCH);
}

}  // namespace unitvec
