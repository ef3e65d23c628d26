#include "model/export_program.hpp"

#include <array>
#include <cstdio>

#include "model/dense_weights.hpp"

namespace unitvec {
namespace {

/// A float so that it reads back as the same one.
std::string exactly(float value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.9e", static_cast<double>(value));
    return text.data();
}

std::string activation_of(Activation activation, const std::string& x) {
    switch (activation) {
        case Activation::gelu: return "torch.gelu(" + x + ")";
        case Activation::gelu_tanh: return "torch.gelu(" + x + ", approximate=\"tanh\")";
        case Activation::relu: break;
    }
    return "torch.relu(" + x + ")";
}

std::string layer_norm(const ModelConfig& c, const std::string& x, std::size_t dim,
                       const std::string& name, const std::string& index = "") {
    return "torch.layer_norm(" + x + ", [" + std::to_string(dim) + "], self." + name + "_gamma" +
           index + ", self." + name + "_beta" + index + ", " + exactly(c.layer_norm_eps) + ")";
}

std::string linear(const std::string& x, const std::string& name, const std::string& index = "") {
    return "torch.linear(" + x + ", self." + name + "_weight" + index + ", self." + name + "_bias" +
           index + ")";
}

/// A line of a function's body.
std::string line(const std::string& statement, int depth = 1) {
    return std::string(2 * static_cast<std::size_t>(depth), ' ') + statement + "\n";
}

std::string types_argument(const ModelConfig& c) {
    return c.type_vocab_size > 0 ? ", token_type_ids: Optional[Tensor]" : "";
}

/// x = LayerNorm(word[id] + position[i] + type[t]), as in transformer.cpp
std::string embedding(const ModelConfig& c, bool has_projection) {
    std::string s = "def embed(self, input_ids: Tensor" + types_argument(c) + ") -> Tensor:\n";
    if (c.padding_id) {
        const auto padding = std::to_string(*c.padding_id);
        s += line("text = (input_ids != " + padding + ").to(4)");  // 4: int64
        s += line("places = torch.cumsum(text, 1) * text + " + padding);
    } else {
        s += line("places = torch.arange(input_ids.size(1), device=input_ids.device)");
    }
    s += line("x = torch.embedding(self.word, input_ids) + torch.embedding(self.position, places)");
    if (c.type_vocab_size > 0) {
        s += line("if token_type_ids is None:");
        s += line("x = x + self.type[0]", 2);
        s += line("else:");
        s += line("x = x + torch.embedding(self.type, token_type_ids)", 2);
    }
    s += line("x = " + layer_norm(c, "x", c.embedding_dim, "embedding_norm"));
    if (has_projection) s += line("x = " + linear("x", "projection"));
    return s + line("return x");
}

/// What attention adds to its scores: nearly minus infinity on padding, and MPNet's bias.
std::string attention_bias(bool has_relative_bias) {
    std::string s = "def attention_bias(self, mask: Tensor) -> Tensor:\n";
    s += line("bias = (1.0 - mask).unsqueeze(1).unsqueeze(1) * -1e30");  // (batch, 1, 1, seq_len)
    if (has_relative_bias) {
        s += line("i = torch.arange(mask.size(1), device=mask.device)");
        s += line("distance = i.unsqueeze(0) - i.unsqueeze(1) + self.relative_bias.size(1) // 2");
        s += line("bias = bias + self.relative_bias[:, distance].unsqueeze(0)");
    }
    return s + line("return bias");
}

std::string layers(const ModelConfig& c) {
    const auto heads = std::to_string(c.heads);
    const auto head_dim = std::to_string(c.head_dim());
    std::string s = "def layers(self, x: Tensor, bias: Tensor) -> Tensor:\n";
    s += line("n, length = x.size(0), x.size(1)");
    s += line("for layer in range(" + std::to_string(c.layers) + "):");
    s += line("i = layer * " + std::to_string(c.layer_groups) + " // " + std::to_string(c.layers),
              2);
    s += line("qkv = " + linear("x", "qkv", "[i]") + ".view([n, length, 3, " + heads + ", " +
                  head_dim + "])",
              2);
    s += line("qkv = qkv.permute([2, 0, 3, 1, 4])", 2);  // (3, n, heads, length, head_dim)
    s += line("a = torch.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], bias)", 2);
    s += line("a = a.transpose(1, 2).reshape([n, length, " + std::to_string(c.dim) + "])", 2);
    s += line("a = " + linear("a", "output", "[i]") + " + x", 2);
    s += line("x = " + layer_norm(c, "a", c.dim, "attention_norm", "[i]"), 2);
    s += line("h = " + activation_of(c.activation, linear("x", "intermediate", "[i]")), 2);
    s += line(
        "x = " + layer_norm(c, linear("h", "dense", "[i]") + " + x", c.dim, "output_norm", "[i]"),
        2);
    return s + line("return x");
}

std::string pooled(Pooling mode, std::size_t dim) {
    switch (mode) {
        case Pooling::cls: return "x[:, 0]";
        case Pooling::mean: return "(x * m).sum(1) / count";
        case Pooling::mean_words: return "(x * w).sum(1) / torch.clamp_min(w.sum(1), 1e-9)";
        case Pooling::max: return "x.masked_fill(m == 0.0, -3e38).amax(1)";
        case Pooling::mean_sqrt_len: return "(x * m).sum(1) / torch.sqrt(count)";
        case Pooling::weighted_mean:
            return "(x * m * i).sum(1) / torch.clamp_min((m * i).sum(1), 1e-9)";
        case Pooling::last_token: break;
    }
    return "x.gather(1, (m * i).argmax(1, True).expand([-1, -1, " + std::to_string(dim) +
           "])).squeeze(1)";
}

std::string dense(const DenseActivation& activation, const std::string& x) {
    if (activation.name == "Tanh") return "torch.tanh(" + x + ")";
    if (activation.name == "ReLU") return "torch.relu(" + x + ")";
    if (activation.name == "GELU") return "torch.gelu(" + x + ")";
    if (activation.name == "Sigmoid") return "torch.sigmoid(" + x + ")";
    return x;
}

std::string sentence(const ModelConfig& c, const SentenceSteps& steps) {
    std::string s = "def pool(self, x: Tensor, mask: Tensor) -> Tensor:\n";
    s += line("m = mask.unsqueeze(2)");  // (batch, seq_len, 1)
    s += line("count = torch.clamp_min(m.sum(1), 1e-9)");
    s += line("i = torch.arange(1, x.size(1) + 1, device=x.device).to(6).view([1, -1, 1])");
    s += line("w = m * (i > " + std::to_string(steps.pooling.special_first) +
              ") * (i <= m.sum(1, True) - " + std::to_string(steps.pooling.special_last) + ")");
    std::string parts;
    for (const auto mode : steps.pooling.modes) parts += pooled(mode, c.dim) + ", ";
    s += line("v = torch.cat([" + parts + "], 1)");
    for (std::size_t k = 0; k < steps.layers.size(); ++k) {
        if (!steps.layers[k]) {
            s += line("v = v / torch.clamp_min(torch.sqrt((v * v).sum(1, True)), 1e-12)");
            continue;
        }
        const auto& weights = steps.layers[k]->weights();
        const auto name = "step" + std::to_string(k);
        auto next = dense(weights.activation, linear("v", name));
        if (weights.projection) {
            next += " + " + linear("v", name + "_residual");
        } else if (weights.use_residual) {
            next += " + v";
        }
        s += line("v = " + next);
    }
    return s + line("return v");
}

std::string forward(const ModelConfig& c) {
    const bool types = c.type_vocab_size > 0;
    const std::string argument = types ? ", token_type_ids: Optional[Tensor] = None" : "";
    std::string s = "def forward(self, input_ids: Tensor, attention_mask: Tensor" + argument +
                    ") -> Dict[str, Tensor]:\n";
    s += line("mask = attention_mask.to(6)");  // 6: float32
    s += line(std::string("x = self.embed(input_ids") + (types ? ", token_type_ids)" : ")"));
    s += line("x = self.layers(x, self.attention_bias(mask))");
    return s +
           line("return {\"last_hidden_state\": x, \"sentence_embedding\": self.pool(x, mask)}");
}

}  // namespace

std::string export_program(const ModelConfig& config, const SentenceSteps& steps,
                           bool has_projection, bool has_relative_bias) {
    return embedding(config, has_projection) + attention_bias(has_relative_bias) + layers(config) +
           sentence(config, steps) + forward(config);
}

}  // namespace unitvec
