#include "unitvec/model/pooling.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <iterator>
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

struct NamedPooling {
    std::string_view name;
    Pooling pooling;
};

// The first name of a mode is the one that name() gives.
constexpr NamedPooling kNames[] = {{"cls", Pooling::cls},
                                   {"mean", Pooling::mean},
                                   {"max", Pooling::max},
                                   {"mean_sqrt_len_tokens", Pooling::mean_sqrt_len},
                                   {"mean_sqrt_len", Pooling::mean_sqrt_len},
                                   {"weightedmean", Pooling::weighted_mean},
                                   {"lasttoken", Pooling::last_token},
                                   {"mean_words", Pooling::mean_words}};

/// sum(i * tokens[i]) / sum(i), the first token that is not skipped being the (skipped + 1)-th.
void weighted_mean(MatrixView<const float> tokens, std::size_t skipped, Row& out) {
    out.setZero();
    float total = 0.0F;
    for (std::size_t i = 0; i < tokens.rows; ++i) {
        const auto weight = static_cast<float>(skipped + i + 1);
        out += weight * as_eigen(tokens).row(static_cast<Eigen::Index>(i));
        total += weight;
    }
    out /= total;
}

void pool_text(MatrixView<const float> tokens, Pooling pooling, std::size_t skipped,
               std::span<float> out) {
    Row result(out.data(), static_cast<Eigen::Index>(out.size()));
    if (tokens.rows == 0) {
        result.setZero();
        return;
    }
    const auto rows = as_eigen(tokens);
    switch (pooling) {
        case Pooling::cls: result = rows.row(0); break;
        case Pooling::mean:
        case Pooling::mean_words: result = rows.colwise().mean(); break;
        case Pooling::max: result = rows.colwise().maxCoeff(); break;
        case Pooling::mean_sqrt_len:
            result = rows.colwise().sum() / std::sqrt(static_cast<float>(tokens.rows));
            break;
        case Pooling::weighted_mean: weighted_mean(tokens, skipped, result); break;
        case Pooling::last_token: result = rows.row(rows.rows() - 1); break;
    }
}

/// The tokens [begin, end) of a text that count.
MatrixView<const float> counted(MatrixView<const float> tokens, std::size_t begin, std::size_t end,
                                const PoolingPlan& plan, Pooling mode) {
    const bool words = mode == Pooling::mean_words;
    const auto first = begin + std::max(plan.skipped, words ? plan.special_first : 0);
    const auto last = end - std::min(words ? plan.special_last : 0, end - begin);
    return tokens.middle_rows(std::min(first, last), last - std::min(first, last));
}

}  // namespace

Pooling pooling_from_name(std::string_view name) {
    const auto found = std::ranges::find(kNames, name, &NamedPooling::name);
    if (found != std::end(kNames)) return found->pooling;
    throw_invalid(
        "pooling",
        "one of cls, mean, max, mean_sqrt_len_tokens, weightedmean, lasttoken, mean_words", name);
}

std::string_view name(Pooling pooling) {
    return std::ranges::find(kNames, pooling, &NamedPooling::pooling)->name;
}

void pool(MatrixView<const float> tokens, std::span<const std::size_t> offsets,
          const PoolingPlan& plan, MatrixView<float> out) {
    require_dim("pool", "out", tokens.cols * plan.modes.size(), out.cols);
    if (offsets.size() != out.rows + 1 || offsets.back() != tokens.rows) {
        throw_invalid(
            "pool",
            std::to_string(out.rows + 1) + " offsets that end at " + std::to_string(tokens.rows),
            std::to_string(offsets.size()) + " offsets");
    }
    for (std::size_t t = 0; t < out.rows; ++t) {
        for (std::size_t m = 0; m < plan.modes.size(); ++m) {
            pool_text(counted(tokens, offsets[t], offsets[t + 1], plan, plan.modes[m]),
                      plan.modes[m], plan.skipped,
                      out.row(t).subspan(m * tokens.cols, tokens.cols));
        }
    }
}

}  // namespace unitvec
