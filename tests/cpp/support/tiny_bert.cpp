#include "support/tiny_bert.hpp"

#include <cmath>
#include <fstream>
#include <numbers>

#include "support/random.hpp"

namespace {

using Rows = std::vector<double>;  // row-major, (tokens, width)

std::string layer_name(std::size_t i) {
    return "encoder.layer." + std::to_string(i) + ".";
}

Rows linear(const TinyBert& m, const std::string& name, const Rows& x) {
    const auto& w = m.tensors.at(name + ".weight");
    const auto& b = m.tensors.at(name + ".bias");
    const std::size_t out = w.shape[0], in = w.shape[1], rows = x.size() / in;
    Rows y(rows * out);
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t o = 0; o < out; ++o) {
            double sum = b.values[o];
            for (std::size_t i = 0; i < in; ++i) sum += x[r * in + i] * w.values[o * in + i];
            y[r * out + o] = sum;
        }
    }
    return y;
}

Rows layer_norm(const TinyBert& m, const std::string& name, Rows x) {
    const auto& gamma = m.tensors.at(name + ".weight").values;
    const auto& beta = m.tensors.at(name + ".bias").values;
    for (std::size_t r = 0; r < x.size(); r += m.dim) {
        double mean = 0.0, variance = 0.0;
        for (std::size_t i = 0; i < m.dim; ++i) mean += x[r + i] / static_cast<double>(m.dim);
        for (std::size_t i = 0; i < m.dim; ++i) {
            variance += std::pow(x[r + i] - mean, 2) / static_cast<double>(m.dim);
        }
        for (std::size_t i = 0; i < m.dim; ++i) {
            x[r + i] = (x[r + i] - mean) / std::sqrt(variance + 1e-12) * gamma[i] + beta[i];
        }
    }
    return x;
}

Rows attention(const TinyBert& m, const Rows& q, const Rows& k, const Rows& v) {
    const std::size_t n = q.size() / m.dim, d = m.dim / m.heads;
    Rows out(q.size(), 0.0);
    for (std::size_t h = 0; h < m.heads; ++h) {
        for (std::size_t i = 0; i < n; ++i) {
            std::vector<double> weights(n);
            double total = 0.0;
            for (std::size_t j = 0; j < n; ++j) {
                double dot = 0.0;
                for (std::size_t c = h * d; c < (h + 1) * d; ++c)
                    dot += q[i * m.dim + c] * k[j * m.dim + c];
                total += weights[j] = std::exp(dot / std::sqrt(static_cast<double>(d)));
            }
            for (std::size_t j = 0; j < n; ++j) {
                for (std::size_t c = h * d; c < (h + 1) * d; ++c) {
                    out[i * m.dim + c] += weights[j] / total * v[j * m.dim + c];
                }
            }
        }
    }
    return out;
}

Rows plus(Rows a, const Rows& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
}

Rows gelu(Rows x) {
    for (double& value : x) value *= 0.5 * (1.0 + std::erf(value / std::numbers::sqrt2));
    return x;
}

}  // namespace

TinyBert::TinyBert(std::uint64_t seed) {
    const auto add = [&](const std::string& name, std::vector<std::size_t> shape) {
        std::size_t n = 1;
        for (const std::size_t s : shape) n *= s;
        tensors[name] = {std::move(shape), random_floats(n, seed++)};
    };
    const auto add_linear = [&](const std::string& name, std::size_t out, std::size_t in) {
        add(name + ".weight", {out, in});
        add(name + ".bias", {out});
    };
    const auto add_norm = [&](const std::string& name) {
        add(name + ".weight", {dim});
        add(name + ".bias", {dim});
    };
    add("embeddings.word_embeddings.weight", {vocab, dim});
    add("embeddings.position_embeddings.weight", {positions, dim});
    add("embeddings.token_type_embeddings.weight", {types, dim});
    add_norm("embeddings.LayerNorm");
    for (std::size_t i = 0; i < layers; ++i) {
        for (const char* part : {"query", "key", "value"}) {
            add_linear(layer_name(i) + "attention.self." + part, dim, dim);
        }
        add_linear(layer_name(i) + "attention.output.dense", dim, dim);
        add_norm(layer_name(i) + "attention.output.LayerNorm");
        add_linear(layer_name(i) + "intermediate.dense", intermediate, dim);
        add_linear(layer_name(i) + "output.dense", dim, intermediate);
        add_norm(layer_name(i) + "output.LayerNorm");
    }
}

std::string TinyBert::config() const {
    const auto field = [](const std::string& name, std::size_t n) {
        return ", \"" + name + "\": " + std::to_string(n);
    };
    return R"({"model_type": "bert", "hidden_act": "gelu", "layer_norm_eps": 1e-12)" +
           field("vocab_size", vocab) + field("hidden_size", dim) +
           field("num_hidden_layers", layers) + field("num_attention_heads", heads) +
           field("intermediate_size", intermediate) + field("max_position_embeddings", positions) +
           field("type_vocab_size", types) + "}";
}

void TinyBert::save(const std::filesystem::path& folder, const std::string& prefix) const {
    save_tensors(tensors, folder, prefix);
    std::ofstream(folder / "config.json") << config();
}

void save_tensors(const Tensors& tensors, const std::filesystem::path& folder,
                  const std::string& prefix) {
    std::string header, data;
    for (const auto& [name, tensor] : tensors) {
        const std::size_t begin = data.size();
        data.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * 4);
        std::string shape;
        for (const std::size_t n : tensor.shape)
            shape += (shape.empty() ? "" : ",") + std::to_string(n);
        header += (header.empty() ? "{\"" : ",\"") + prefix + name +
                  R"(":{"dtype":"F32","shape":[)" + shape + R"(],"data_offsets":[)" +
                  std::to_string(begin) + "," + std::to_string(data.size()) + "]}";
    }
    header += "}";
    std::ofstream file(folder / "model.safetensors", std::ios::binary);
    for (std::size_t i = 0; i < 8; ++i)
        file.put(static_cast<char>(header.size() >> (8 * i) & 0xff));
    file << header << data;
}

std::vector<std::vector<double>> TinyBert::hidden_states(
    const std::vector<std::int32_t>& ids, const std::vector<std::int32_t>& type_ids) const {
    Rows x(ids.size() * dim);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        for (std::size_t c = 0; c < dim; ++c) {
            const auto at = [&](const std::string& table, std::size_t row) {
                return static_cast<double>(
                    tensors.at("embeddings." + table + ".weight").values[row * dim + c]);
            };
            x[i * dim + c] = at("word_embeddings", static_cast<std::size_t>(ids[i])) +
                             at("position_embeddings", i) +
                             at("token_type_embeddings", static_cast<std::size_t>(type_ids[i]));
        }
    }
    x = layer_norm(*this, "embeddings.LayerNorm", x);
    std::vector<Rows> states{x};
    for (std::size_t i = 0; i < layers; ++i) {
        const auto name = layer_name(i);
        const auto self = name + "attention.self.";
        const Rows attended =
            attention(*this, linear(*this, self + "query", x), linear(*this, self + "key", x),
                      linear(*this, self + "value", x));
        x = layer_norm(*this, name + "attention.output.LayerNorm",
                       plus(linear(*this, name + "attention.output.dense", attended), x));
        const Rows inner = gelu(linear(*this, name + "intermediate.dense", x));
        x = layer_norm(*this, name + "output.LayerNorm",
                       plus(linear(*this, name + "output.dense", inner), x));
        states.push_back(x);
    }
    return states;
}
