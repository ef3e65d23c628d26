#include "unitvec/model/pooling.hpp"

#include <Eigen/Core>
#include <string>

#include "unitvec/error.hpp"

namespace unitvec {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = Eigen::Map<const RowMajor>;
using Row = Eigen::Map<Eigen::RowVectorXf>;

Rows as_eigen(MatrixView<const float> m) {
    return {m.data, static_cast<Eigen::Index>(m.rows), static_cast<Eigen::Index>(m.cols)};
}

void pool_text(MatrixView<const float> tokens, Pooling pooling, std::span<float> out) {
    Row result(out.data(), static_cast<Eigen::Index>(out.size()));
    if (tokens.rows == 0) {
        result.setZero();
        return;
    }
    switch (pooling) {
        case Pooling::cls: result = as_eigen(tokens).row(0); break;
        case Pooling::mean: result = as_eigen(tokens).colwise().mean(); break;
        case Pooling::max: result = as_eigen(tokens).colwise().maxCoeff(); break;
    }
}

}  // namespace

Pooling pooling_from_name(std::string_view name) {
    if (name == "cls") return Pooling::cls;
    if (name == "mean") return Pooling::mean;
    if (name == "max") return Pooling::max;
    throw_invalid("pooling", "one of cls, mean, max", name);
}

std::string_view name(Pooling pooling) {
    switch (pooling) {
        case Pooling::cls: return "cls";
        case Pooling::mean: return "mean";
        case Pooling::max: return "max";
    }
    return "unknown";
}

void pool(MatrixView<const float> tokens, std::span<const std::size_t> offsets, Pooling pooling,
          MatrixView<float> out) {
    require_dim("pool", "out", tokens.cols, out.cols);
    if (offsets.size() != out.rows + 1 || offsets.back() != tokens.rows) {
        throw_invalid(
            "pool",
            std::to_string(out.rows + 1) + " offsets that end at " + std::to_string(tokens.rows),
            std::to_string(offsets.size()) + " offsets");
    }
    for (std::size_t t = 0; t < out.rows; ++t) {
        const auto text = tokens.middle_rows(offsets[t], offsets[t + 1] - offsets[t]);
        pool_text(text, pooling, out.row(t));
    }
}

}  // namespace unitvec
