#include "unitvec/model/classification_head.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/random.hpp"
#include "support/tiny_bert.hpp"
#include "unitvec/error.hpp"

using namespace unitvec;

namespace {

constexpr std::size_t kDim = 6;

/// What each model type calls the two layers, and what stands between them.
struct Case {
    std::string model_type, dense, output;
    std::function<double(double)> function;
};

double relu(double x) {
    return std::max(x, 0.0);
}
double gelu(double x) {
    return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
}
double hyperbolic(double x) {
    return std::tanh(x);
}

const std::vector<Case> kCases{
    {"bert", "bert.pooler.dense", "classifier", hyperbolic},
    {"albert", "albert.pooler", "classifier", hyperbolic},
    {"roberta", "classifier.dense", "classifier.out_proj", hyperbolic},
    {"xlm-roberta", "classifier.dense", "classifier.out_proj", hyperbolic},
    {"camembert", "classifier.dense", "classifier.out_proj", hyperbolic},
    {"mpnet", "classifier.dense", "classifier.out_proj", hyperbolic},
    {"distilbert", "pre_classifier", "classifier", relu},
    {"electra", "classifier.dense", "classifier.out_proj", gelu},
};

/// A config.json that every model type can read.
std::string config(const std::string& model_type) {
    return R"({"model_type": ")" + model_type +
           R"(", "vocab_size": 5, "type_vocab_size": 1, "max_position_embeddings": 9,
               "hidden_size": 6, "num_hidden_layers": 1, "num_attention_heads": 2,
               "intermediate_size": 8, "embedding_size": 6,
               "dim": 6, "n_layers": 1, "n_heads": 2, "hidden_dim": 8})";
}

Tensors head_of(const Case& c, std::size_t labels) {
    return {{c.dense + ".weight", {{kDim, kDim}, random_floats(kDim * kDim, 1)}},
            {c.dense + ".bias", {{kDim}, random_floats(kDim, 2)}},
            {c.output + ".weight", {{labels, kDim}, random_floats(labels * kDim, 3)}},
            {c.output + ".bias", {{labels}, random_floats(labels, 4)}}};
}

/// W x + b in double.
std::vector<double> linear(const Tensors& tensors, const std::string& name,
                           const std::vector<double>& x) {
    std::vector<double> y;
    const auto& weight = tensors.at(name + ".weight").values;
    for (const float bias : tensors.at(name + ".bias").values) {
        double sum = bias;
        for (std::size_t i = 0; i < kDim; ++i) sum += weight[y.size() * kDim + i] * x[i];
        y.push_back(sum);
    }
    return y;
}

void save(const TemporaryFolder& folder, const std::string& model_type, const Tensors& tensors) {
    save_tensors(tensors, folder.path());
    (void)folder.write("config.json", config(model_type));
}

}  // namespace

TEST_CASE("a classification head follows its formula in every architecture", "[head]") {
    const auto& c = kCases[GENERATE(0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u)];
    const std::size_t labels = GENERATE(1u, 3u, 20u);
    const std::size_t rows = 5;
    INFO(c.model_type);
    const TemporaryFolder folder;
    const Tensors tensors = head_of(c, labels);
    save(folder, c.model_type, tensors);

    const auto head = ClassificationHead::load(folder.path());
    CHECK(head.dim() == kDim);
    CHECK(head.labels() == labels);
    const auto values = random_floats(rows * kDim, 5);
    const MatrixView<const float> x{values.data(), rows, kDim};
    const Matrix y = head(x, 2);
    for (std::size_t r = 0; r < rows; ++r) {
        auto hidden = linear(tensors, c.dense, {x.row(r).begin(), x.row(r).end()});
        std::ranges::transform(hidden, hidden.begin(), c.function);
        const auto expected = linear(tensors, c.output, hidden);
        for (std::size_t o = 0; o < labels; ++o) {
            CHECK_THAT(y.row(r)[o], WithinAbs(expected[o], 1e-5));
        }
        CHECK(std::ranges::equal(head(x.middle_rows(r, 1), 1).row(0), y.row(r)));
    }
    CHECK(head({nullptr, 0, kDim}, 1).rows() == 0);
    CHECK_THROWS_WITH(head({values.data(), 1, kDim - 1}, 1),
                      ContainsSubstring("[ClassificationHead]"));
}

TEST_CASE("a checkpoint without the head's layers is refused with a way out", "[head]") {
    const auto& c = kCases[GENERATE(0u, 2u, 6u, 7u)];
    const bool without_dense = GENERATE(false, true);
    INFO(c.model_type);
    const auto& missing = without_dense ? c.dense : c.output;
    const TemporaryFolder folder;
    Tensors tensors = head_of(c, 2);
    tensors.erase(missing + ".weight");
    tensors.erase(missing + ".bias");
    save(folder, c.model_type, tensors);
    CHECK_THROWS_WITH(ClassificationHead::load(folder.path()),
                      ContainsSubstring(missing + ".weight") &&
                          ContainsSubstring("sequence-classification head") &&
                          ContainsSubstring("use Encoder"));
    CHECK_THROWS_AS(ClassificationHead::load(folder.path()), FormatError);
}

TEST_CASE("a damaged head is refused by name", "[head]") {
    const TemporaryFolder folder;
    const auto refused = [&](const std::string& name, const Tensor& tensor) {
        Tensors tensors = head_of(kCases[0], 2);
        tensors[name] = tensor;
        save(folder, "bert", tensors);
        CHECK_THROWS_WITH(ClassificationHead::load(folder.path()), ContainsSubstring(name));
        CHECK_THROWS_AS(ClassificationHead::load(folder.path()), FormatError);
    };
    refused("classifier.weight", {{kDim}, random_floats(kDim, 1)});
    refused("classifier.weight", {{0, kDim}, {}});
    refused("classifier.weight", {{2, kDim - 1}, random_floats(2 * kDim - 2, 1)});
    refused("classifier.bias", {{3}, {1, 2, 3}});
    refused("bert.pooler.dense.weight", {{kDim, 1}, random_floats(kDim, 1)});
}
