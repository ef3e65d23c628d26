#include "search/prepare.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "search/row_codec.hpp"
#include "unitvec/error.hpp"
#include "unitvec/normalize.hpp"
#include "vector_length.hpp"

namespace unitvec {
namespace {

constexpr double kLargestLength = 1e18;    // squares, and four times them, stay finite in float32
constexpr double kSmallestLength = 1e-12;  // as l2_normalize: a shorter vector has no direction

using Numbers = MatrixView<const float>;

void require_lengths(const char* function, Metric metric, Numbers vectors, bool zero_allowed) {
    for (std::size_t i = 0; i < vectors.rows; ++i) {
        const double here = length(vectors.row(i));
        const bool too_short = metric == Metric::cosine && here < kSmallestLength && !zero_allowed;
        const bool too_long = metric != Metric::cosine && here > kLargestLength;
        if (!too_short && !too_long) continue;
        throw_invalid(function,
                      too_short ? "vectors with a direction, longer than 1e-12, under cosine"
                                : "vectors of length at most 1e18",
                      "length " + std::to_string(here) + " in row " + std::to_string(i));
    }
}

void require_components(VectorType type, const Matrix& vectors) {
    const float largest = largest_component(type);
    for (std::size_t i = 0; i < vectors.rows(); ++i) {
        for (const float value : vectors.row(i)) {
            if (std::fabs(value) <= largest) continue;
            throw_invalid("add",
                          "components of at most " + std::to_string(std::lround(largest)) +
                              " for dtype " + std::string(name(type)),
                          std::to_string(value) + " in row " + std::to_string(i));
        }
    }
}

Matrix prepare(const char* function, const VectorStore& store, Numbers vectors, bool zero_allowed) {
    if (store.type() == VectorType::bits) {
        throw_invalid(function, "uint8 bytes of bits under hamming, 8 to the byte",
                      "float32 numbers");
    }
    require_dim(function, "vectors", store.dim(), vectors.cols);
    require_finite(function, "vectors", vectors);
    require_lengths(function, store.metric(), vectors, zero_allowed);
    Matrix prepared(vectors.rows, vectors.cols);
    if (store.metric() == Metric::cosine) {
        l2_normalize(vectors, prepared.view());
    } else {
        std::copy_n(vectors.data, vectors.size(), prepared.data());
    }
    return prepared;
}

Matrix prepare(const char* function, const VectorStore& store, BitsView vectors) {
    if (store.type() != VectorType::bits) {
        throw_invalid(function, "float32 numbers under " + std::string(name(store.metric())),
                      "bytes of bits, which metric hamming compares");
    }
    require_dim(function, "vectors", store.dim() / 8, vectors.cols);
    Matrix prepared(vectors.rows, store.query_cols());
    for (std::size_t i = 0; i < vectors.rows; ++i) {
        auto* row = reinterpret_cast<std::byte*>(prepared.row(i).data());
        std::memset(row, 0, store.row_bytes());
        std::memcpy(row, vectors.row(i).data(), vectors.cols);
    }
    return prepared;
}

}  // namespace

Matrix prepared_vectors(const VectorStore& store, Numbers vectors) {
    Matrix prepared = prepare("add", store, vectors, /*zero_allowed=*/false);
    if (store.type() == VectorType::float16) require_components(store.type(), prepared);
    return prepared;
}
Matrix prepared_vectors(const VectorStore& store, BitsView vectors) {
    return prepare("add", store, vectors);
}

Matrix prepared_queries(const char* function, const VectorStore& store, Numbers queries) {
    return prepare(function, store, queries, /*zero_allowed=*/true);
}
Matrix prepared_queries(const char* function, const VectorStore& store, BitsView queries) {
    return prepare(function, store, queries);
}

}  // namespace unitvec
