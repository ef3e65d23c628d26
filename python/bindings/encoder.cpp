#include "unitvec/model/encoder.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "bindings.hpp"
#include "progress.hpp"
#include "texts.hpp"
#include "unitvec/model/classification_head.hpp"
#include "unitvec/model/dense.hpp"
#include "unitvec/model/export.hpp"
#include "unitvec/normalize.hpp"

namespace unitvec::bindings {
namespace {

using Int64Array = py::array_t<std::int64_t>;

Int64Array to_int64(const auto& values) {
    Int64Array array(static_cast<py::ssize_t>(values.size()));
    std::copy(values.begin(), values.end(), array.mutable_data());
    return array;
}

using Lists = std::vector<std::vector<std::int32_t>>;

void require_types(const Lists& types, const Lists& texts) {
    if (!std::ranges::equal(types, texts, {}, &Lists::value_type::size, &Lists::value_type::size)) {
        throw_invalid("from_ids", "token_type_ids of the texts' lengths", "other lengths");
    }
}

TokenSequences sequences_from_ids(const Lists& texts,
                                  const std::optional<std::vector<std::size_t>>& full_lengths,
                                  const std::optional<Lists>& token_type_ids) {
    if (full_lengths && full_lengths->size() != texts.size()) {
        throw_invalid("from_ids", std::to_string(texts.size()) + " full_lengths, one a text",
                      std::to_string(full_lengths->size()));
    }
    if (token_type_ids) require_types(*token_type_ids, texts);
    TokenSequences sequences;
    for (std::size_t t = 0; t < texts.size(); ++t) {
        sequences.append(texts[t], full_lengths ? (*full_lengths)[t] : texts[t].size(),
                         token_type_ids ? (*token_type_ids)[t] : Lists::value_type());
    }
    return sequences;
}

TokenSequences tokenize_lists(const Tokenizer& tokenizer, const py::list& firsts,
                              const py::list& seconds, std::size_t max_length,
                              std::size_t threads) {
    if (firsts.size() != seconds.size()) {
        throw_invalid("tokenize_pairs", std::to_string(firsts.size()) + " second texts",
                      std::to_string(seconds.size()));
    }
    const Texts first(firsts), second(seconds);
    const py::gil_scoped_release nogil;
    std::vector<TextPair> pairs;
    pairs.reserve(first.views().size());
    for (std::size_t i = 0; i < first.views().size(); ++i) {
        pairs.push_back({first.views()[i], second.views()[i]});
    }
    return tokenize_pairs(tokenizer, pairs, max_length, threads);
}

PoolingPlan plan_of(const std::vector<std::string>& modes, std::size_t skipped,
                    std::size_t special_first, std::size_t special_last) {
    if (modes.empty()) throw_invalid("pooling", "at least one mode", "none");
    PoolingPlan plan{{}, skipped, special_first, special_last};
    for (const auto& mode : modes) plan.modes.push_back(pooling_from_name(mode));
    return plan;
}

std::vector<std::size_t> as_offsets(const Int64Array& array) {
    if (array.ndim() != 1) throw_invalid("pool", "offsets of one dimension", "another shape");
    std::vector<std::size_t> offsets;
    for (py::ssize_t i = 0; i < array.shape(0); ++i) {
        const std::int64_t offset = array.at(i);
        if (offset < 0 || (!offsets.empty() && static_cast<std::size_t>(offset) < offsets.back())) {
            throw_invalid("pool", "ascending offsets", std::to_string(offset));
        }
        offsets.push_back(static_cast<std::size_t>(offset));
    }
    return offsets;
}

void register_sequences(py::module_& m) {
    py::class_<TokenSequences>(m, "TokenSequences", "Token ids of many texts, end to end.")
        .def_static(
            "from_ids", &sequences_from_ids, py::arg("texts"), py::arg("full_lengths") = py::none(),
            py::arg("token_type_ids") = py::none(),
            "From lists of token ids, special tokens included; full_lengths are those before "
            "truncation; token_type_ids of None are all 0.")
        .def("__len__", &TokenSequences::texts)
        .def_property_readonly(
            "input_ids", [](const TokenSequences& s) { return to_int64(s.input_ids); },
            "Ids of all texts, shape (tokens,).")
        .def_property_readonly(
            "token_type_ids", [](const TokenSequences& s) { return to_int64(s.token_type_ids); },
            "Types of all tokens, shape (tokens,), or empty: all 0.")
        .def(
            "drop_token_types", [](TokenSequences& s) { s.token_type_ids.clear(); },
            "Makes all types 0.")
        .def_property_readonly(
            "offsets", [](const TokenSequences& s) { return to_int64(s.offsets); },
            "Where each text begins in input_ids, and where the last one ends, shape (texts + 1,).")
        .def_property_readonly(
            "full_lengths", [](const TokenSequences& s) { return to_int64(s.full_lengths); },
            "Tokens of each text before truncation, shape (texts,).");
    m.def(
        "tokenize",
        [](const Tokenizer& tokenizer, const py::list& texts, std::size_t max_length,
           std::size_t threads) {
            const Texts views(texts);
            const py::gil_scoped_release nogil;
            return tokenize(tokenizer, views.views(), max_length, threads);
        },
        py::arg("tokenizer"), py::arg("texts"), py::arg("max_length"), py::arg("threads"),
        "Ids of texts with special tokens, each cut to max_length tokens (0: not cut).");
    m.def("tokenize_pairs", &tokenize_lists, py::arg("tokenizer"), py::arg("firsts"),
          py::arg("seconds"), py::arg("max_length"), py::arg("threads"),
          "The same for pairs of texts, each as one sequence with types: the longer text of a pair "
          "is cut first.");
}

void register_encoders(py::module_& m) {
    py::class_<Encoder>(m, "Encoder", "Anything that gives every token a vector.")
        .def_property_readonly("dim", &Encoder::dim, "Length of a vector.")
        .def_property_readonly("max_positions", &Encoder::max_positions,
                               "Longest text in tokens; 0: not known.");

    py::class_<TransformerEncoder, Encoder>(m, "TransformerEncoder")
        .def_static(
            "load",
            [](const std::string& directory, const std::string& dtype) {
                return TransformerEncoder::load(directory, dtype_from_name(dtype));
            },
            py::arg("directory"), py::arg("dtype"), py::call_guard<py::gil_scoped_release>())
        .def_property_readonly(
            "dtype", [](const TransformerEncoder& e) { return name(e.config().dtype); },
            "What the weights of its layers are kept in.")
        .def_property_readonly("model_type",
                               [](const TransformerEncoder& e) { return e.config().model_type; })
        .def_property_readonly("layers",
                               [](const TransformerEncoder& e) { return e.config().layers; })
        .def_property_readonly("heads",
                               [](const TransformerEncoder& e) { return e.config().heads; })
        .def_property_readonly("vocab_size",
                               [](const TransformerEncoder& e) { return e.config().vocab_size; })
        .def_property_readonly("parameters", &TransformerEncoder::parameters,
                               "Number of weights, embeddings included.")
        .def_property_readonly("has_pooler", &TransformerEncoder::has_pooler)
        .def(
            "pooler_output",
            [](const TransformerEncoder& encoder, const FloatArray& first, std::size_t threads) {
                return without_gil(first, "first", [&](MatrixView<const float> matrix) {
                    return encoder.pooler_output(matrix, threads);
                });
            },
            py::arg("first"), py::arg("threads") = 0,
            "tanh(W x + b) of the vectors of first tokens, (n, dim).")
        .def(
            "hidden_states",
            [](const TransformerEncoder& encoder, const TokenSequences& sequences,
               std::size_t threads) {
                std::vector<Matrix> states;
                {
                    const py::gil_scoped_release nogil;
                    states =
                        encoder.hidden_states(whole_batch(sequences), threads, check_signals());
                }
                std::vector<py::array_t<float>> arrays;
                for (auto& state : states) arrays.push_back(to_numpy(std::move(state)));
                return arrays;
            },
            py::arg("sequences"), py::arg("threads"),
            "Token vectors before the first layer and after each, each (tokens, dim).");
}

void register_heads(py::module_& m) {
    py::class_<ClassificationHead>(m, "ClassificationHead",
                                   "The layers of a sequence classifier behind [CLS].")
        .def_static(
            "load",
            [](const std::string& directory) { return ClassificationHead::load(directory); },
            py::arg("directory"), py::call_guard<py::gil_scoped_release>())
        .def_property_readonly("dim", &ClassificationHead::dim, "Length of a token's vector.")
        .def_property_readonly("labels", &ClassificationHead::labels)
        .def(
            "__call__",
            [](const ClassificationHead& self, const FloatArray& first, std::size_t threads) {
                return without_gil(first, "first", [&](MatrixView<const float> matrix) {
                    return self(matrix, threads);
                });
            },
            py::arg("first"), py::arg("threads") = 0,
            "Logits (n, labels) of the vectors of first tokens (n, dim).");
}

void register_dense(py::module_& m) {
    py::class_<Dense>(m, "Dense", "A linear layer behind pooling, with its activation.")
        .def_static(
            "load", [](const std::string& directory) { return Dense::load(directory); },
            py::arg("directory"), py::call_guard<py::gil_scoped_release>())
        .def_property_readonly("in_features", &Dense::in)
        .def_property_readonly("out_features", &Dense::out)
        .def(
            "__call__",
            [](const Dense& self, const FloatArray& x, std::size_t threads) {
                return without_gil(
                    x, "x", [&](MatrixView<const float> matrix) { return self(matrix, threads); });
            },
            py::arg("x"), py::arg("threads") = 0,
            "From vectors (n, in_features) to vectors (n, out_features).");
}

void export_to(const std::string& directory, const std::string& dtype, const PoolingPlan& pooling,
               std::vector<std::optional<Dense>> layers, const std::string& file) {
    const SentenceSteps steps{pooling, std::move(layers)};
    const py::gil_scoped_release nogil;
    export_torchscript(directory, dtype_from_name(dtype), steps, file);
}

void register_export(py::module_& m) {
    m.def("export_torchscript", &export_to, py::arg("directory"), py::arg("dtype"),
          py::arg("pooling"), py::arg("layers"), py::arg("file"),
          "Writes a TorchScript file of a model directory; layers: what follows pooling, None for "
          "scaling to length 1.");
}

void register_embedding(py::module_& m) {
    py::class_<PoolingPlan>(m, "PoolingPlan", "How token vectors become a text's.")
        .def(py::init(&plan_of), py::arg("modes"), py::arg("skipped") = 0,
             py::arg("special_first") = 1, py::arg("special_last") = 1,
             "Of several modes the results lie side by side. skipped: tokens at the start of every "
             "text that do not count; special_first, special_last: tokens at its start and end "
             "that are no words.");
    m.def(
        "embed",
        [](const Encoder& encoder, const TokenSequences& sequences, const PoolingPlan& pooling,
           bool normalize, std::size_t threads, const std::optional<py::function>& progress) {
            const EmbedOptions options{.pooling = pooling,
                                       .normalize = normalize,
                                       .threads = threads,
                                       .batch_tokens = 0,
                                       .on_progress = progress_callback(progress),
                                       .between_layers = check_signals()};
            Matrix vectors;
            {
                const py::gil_scoped_release nogil;
                vectors = embed(encoder, sequences, options);
            }
            return to_numpy(std::move(vectors));
        },
        py::arg("encoder"), py::arg("sequences"), py::arg("pooling"), py::arg("normalize"),
        py::arg("threads") = 0, py::arg("progress") = py::none(),
        "One vector per text, shape (texts, modes * dim); progress(texts_done) is called after "
        "each batch.");
    m.def(
        "embed_tokens",
        [](const Encoder& encoder, const TokenSequences& sequences, std::size_t threads,
           const std::optional<py::function>& progress) {
            EmbedOptions options;
            options.threads = threads;
            options.on_progress = progress_callback(progress);
            options.between_layers = check_signals();
            Matrix vectors;
            {
                const py::gil_scoped_release nogil;
                vectors = embed_tokens(encoder, sequences, options);
            }
            return to_numpy(std::move(vectors));
        },
        py::arg("encoder"), py::arg("sequences"), py::arg("threads") = 0,
        py::arg("progress") = py::none(),
        "One vector per token of every text, shape (tokens, dim).");
    m.def(
        "pool",
        [](const FloatArray& tokens, const Int64Array& offsets, const PoolingPlan& plan,
           bool normalize) {
            const auto begins = as_offsets(offsets);
            const auto matrix = as_matrix(tokens, "tokens");
            Matrix out(begins.empty() ? 0 : begins.size() - 1, matrix.cols * plan.modes.size());
            pool(matrix, begins, plan, out.view());
            if (normalize) l2_normalize(out.view(), out.view());
            return to_numpy(std::move(out));
        },
        py::arg("tokens"), py::arg("offsets"), py::arg("pooling"), py::arg("normalize"),
        "From token vectors (tokens, dim) to one vector per text (texts, modes * dim).");
    m.def(
        "require_pooling", [](const std::string& name) { (void)pooling_from_name(name); },
        py::arg("name"), "Raises ValueError unless `name` is a pooling mode.");
}

}  // namespace

void register_encoder(py::module_& m) {
    register_sequences(m);
    register_encoders(m);
    register_dense(m);
    register_heads(m);
    register_embedding(m);
    register_export(m);
}

}  // namespace unitvec::bindings
