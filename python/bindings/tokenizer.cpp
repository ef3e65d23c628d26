#include "unitvec/text/tokenizer.hpp"

#include "bindings.hpp"
#include "texts.hpp"
#include "unitvec/parallel.hpp"
#include "unitvec/text/padding.hpp"

namespace unitvec::bindings {
namespace {

/// An encoding with the tokenizer that knows its tokens' names.
struct BoundEncoding {
    Encoding encoding;
    Tokenizer tokenizer;
};

TruncationSide side_of(const std::string& name) {
    if (name == "right") return TruncationSide::right;
    if (name == "left") return TruncationSide::left;
    throw std::invalid_argument("side must be \"right\" or \"left\", got \"" + name + "\"");
}

TruncationStrategy strategy_of(const std::string& name) {
    if (name == "longest_first") return TruncationStrategy::longest_first;
    if (name == "only_first") return TruncationStrategy::only_first;
    if (name == "only_second") return TruncationStrategy::only_second;
    throw std::invalid_argument(
        "truncation must be \"longest_first\", \"only_first\" or \"only_second\", got \"" + name +
        "\"");
}

EncodeOptions options_of(bool add_special_tokens, std::size_t max_length, std::size_t stride,
                         const std::string& strategy, const std::optional<std::string>& side) {
    EncodeOptions options{add_special_tokens, max_length, stride, strategy_of(strategy)};
    if (side) options.side = side_of(*side);
    return options;
}

/// A str, or a tuple or list of two.
TextPair text_or_pair(Texts& texts, py::handle item) {
    if (!py::isinstance<py::tuple>(item) && !py::isinstance<py::list>(item)) {
        return {texts.add(item, "every text"), std::nullopt};
    }
    const auto pair = py::reinterpret_borrow<py::sequence>(item);
    if (pair.size() != 2) {
        throw py::type_error("a pair must have two texts, got " + std::to_string(pair.size()));
    }
    return {texts.add(pair[0], "the first text of a pair"),
            texts.add(pair[1], "the second text of a pair")};
}

std::vector<TextPair> texts_or_pairs(Texts& texts, const py::sequence& items) {
    if (PyUnicode_Check(items.ptr())) {
        throw py::type_error("texts must be a list of str or of pairs, got one str");
    }
    std::vector<TextPair> views;
    views.reserve(items.size());
    for (const auto& item : items) views.push_back(text_or_pair(texts, item));
    return views;
}

BoundEncoding encode(const Tokenizer& self, const py::object& text, const py::object& pair,
                     bool add_special_tokens, std::size_t max_length, std::size_t stride,
                     const std::string& strategy, const std::optional<std::string>& side) {
    Texts texts;
    const auto view = texts.add(text);
    std::optional<std::string_view> pair_view;
    if (!pair.is_none()) pair_view = texts.add(pair, "pair");
    const auto options = options_of(add_special_tokens, max_length, stride, strategy, side);
    const py::gil_scoped_release nogil;
    return {self.encode(view, pair_view, options), self};
}

std::vector<BoundEncoding> encode_batch(const Tokenizer& self, const py::sequence& items,
                                        bool add_special_tokens, std::size_t max_length,
                                        std::size_t stride, const std::string& strategy,
                                        const std::optional<std::string>& side,
                                        std::size_t threads) {
    Texts texts;
    const auto views = texts_or_pairs(texts, items);
    const auto options = options_of(add_special_tokens, max_length, stride, strategy, side);
    std::vector<BoundEncoding> bound;
    {
        const py::gil_scoped_release nogil;
        auto encodings = self.encode_batch(views, options, threads);
        bound.reserve(encodings.size());
        for (auto& e : encodings) bound.push_back({std::move(e), self});
    }
    return bound;
}

py::array_t<std::int64_t> count(const Tokenizer& self, const py::sequence& items,
                                std::size_t threads) {
    const Texts texts(items);
    const auto& views = texts.views();
    std::vector<std::int64_t> counts(views.size());
    {
        const py::gil_scoped_release nogil;
        parallel_for(views.size(), 16, threads, [&](std::size_t begin, std::size_t end) {
            std::vector<std::int32_t> ids;
            for (std::size_t i = begin; i < end; ++i) {
                ids.clear();
                counts[i] = static_cast<std::int64_t>(self.append_ids(views[i], 0, ids));
            }
        });
    }
    return to_numpy(std::move(counts));
}

py::dict pad_encodings(const std::vector<const BoundEncoding*>& bound, std::size_t length,
                       std::size_t multiple_of, std::int32_t pad_id, const std::string& side) {
    std::vector<const Encoding*> encodings;
    encodings.reserve(bound.size());
    for (const auto* b : bound) encodings.push_back(&b->encoding);
    auto batch = pad(encodings, {length, multiple_of, pad_id, side_of(side)});
    const auto rows = static_cast<py::ssize_t>(batch.rows);
    const auto cols = static_cast<py::ssize_t>(batch.cols);
    const auto matrix = [&](std::vector<std::int64_t>&& values) {
        return to_numpy(std::move(values)).reshape({rows, cols});
    };
    py::dict out;
    out["input_ids"] = matrix(std::move(batch.input_ids));
    out["token_type_ids"] = matrix(std::move(batch.token_type_ids));
    out["attention_mask"] = matrix(std::move(batch.attention_mask));
    out["special_tokens_mask"] = matrix(std::move(batch.special_tokens_mask));
    out["offset_mapping"] =
        to_numpy(std::move(batch.offsets)).reshape({rows, cols, py::ssize_t{2}});
    return out;
}

std::vector<std::string> tokens_of(const BoundEncoding& self) {
    std::vector<std::string> tokens;
    for (const auto id : self.encoding.ids) tokens.emplace_back(self.tokenizer.id_to_token(id));
    return tokens;
}

py::list offsets_of(const BoundEncoding& self) {
    py::list out(self.encoding.size());
    for (std::size_t i = 0; i < self.encoding.size(); ++i) {
        const auto& o = self.encoding.offsets[i];
        out[i] = py::make_tuple(o.begin, o.end);
    }
    return out;
}

/// -1, the core's "none", as None.
std::vector<std::optional<std::int32_t>> or_none(const std::vector<std::int32_t>& numbers) {
    std::vector<std::optional<std::int32_t>> out;
    out.reserve(numbers.size());
    for (const auto n : numbers) out.push_back(n < 0 ? std::nullopt : std::optional(n));
    return out;
}

std::vector<int> as_ints(const std::vector<std::uint8_t>& mask) {
    return {mask.begin(), mask.end()};
}

std::vector<BoundEncoding> overflowing_of(const BoundEncoding& self) {
    std::vector<BoundEncoding> out;
    for (const auto& e : self.encoding.overflowing) out.push_back({e, self.tokenizer});
    return out;
}

void register_encoding(py::module_& m) {
    using Self = const BoundEncoding&;
    py::class_<BoundEncoding>(m, "Encoding", "The tokens of a text or a pair; lists of one length.")
        .def_property_readonly("ids", [](Self self) { return self.encoding.ids; })
        .def_property_readonly("tokens", &tokens_of)
        .def_property_readonly(
            "type_ids", [](Self self) { return self.encoding.type_ids; },
            "0 for the first text, 1 for the second, as the model says.")
        .def_property_readonly(
            "attention_mask", [](Self self) { return as_ints(self.encoding.attention_mask); },
            "1 for every token.")
        .def_property_readonly(
            "special_tokens_mask",
            [](Self self) { return as_ints(self.encoding.special_tokens_mask); },
            "1 for tokens that the tokenizer put in.")
        .def_property_readonly("offsets", &offsets_of,
                               "Code points [begin, end) of the original text; (0, 0) for tokens "
                               "that the tokenizer put in.")
        .def_property_readonly(
            "word_ids", [](Self self) { return or_none(self.encoding.word_ids); },
            "The number of each token's word in its text, None for tokens put in.")
        .def_property_readonly(
            "sequence_ids", [](Self self) { return or_none(self.encoding.sequence_ids); },
            "0 or 1: the text a token comes from; None for tokens put in.")
        .def_property_readonly("overflowing", &overflowing_of,
                               "What max_length cut off, as further encodings.")
        .def("__len__", [](Self self) { return self.encoding.size(); })
        .def("__repr__", [](Self self) {
            return "Encoding(" + std::to_string(self.encoding.size()) + " tokens, " +
                   std::to_string(self.encoding.overflowing.size()) + " overflowing)";
        });
}

}  // namespace

void register_tokenizer(py::module_& m) {
    register_encoding(m);
    py::class_<Tokenizer>(m, "Tokenizer", "The tokeniser in the core; use unitvec.Tokenizer.")
        .def_static(
            "from_directory",
            [](const std::string& path) { return Tokenizer::from_directory(path); },
            py::arg("directory"), py::call_guard<py::gil_scoped_release>())
        .def("encode", &encode, py::arg("text"), py::arg("pair") = py::none(), py::kw_only(),
             py::arg("add_special_tokens") = true, py::arg("max_length") = 0, py::arg("stride") = 0,
             py::arg("strategy") = "longest_first", py::arg("side") = py::none())
        .def("encode_batch", &encode_batch, py::arg("texts"), py::kw_only(),
             py::arg("add_special_tokens") = true, py::arg("max_length") = 0, py::arg("stride") = 0,
             py::arg("strategy") = "longest_first", py::arg("side") = py::none(),
             py::arg("threads") = 0)
        .def("count", &count, py::arg("texts"), py::kw_only(), py::arg("threads") = 0)
        .def_static("pad", &pad_encodings, py::arg("encodings"), py::kw_only(),
                    py::arg("length") = 0, py::arg("multiple_of") = 0, py::arg("pad_id") = 0,
                    py::arg("side") = "right")
        .def(
            "decode",
            [](const Tokenizer& self, const std::vector<std::int32_t>& ids,
               bool skip_special_tokens, std::optional<bool> clean_up) {
                return self.decode(ids, skip_special_tokens, clean_up);
            },
            py::arg("ids"), py::kw_only(), py::arg("skip_special_tokens") = true,
            py::arg("clean_up") = py::none())
        .def("token_to_id", &Tokenizer::token_to_id, py::arg("token"))
        .def(
            "id_to_token",
            [](const Tokenizer& self, std::int32_t id) {
                return std::string(self.id_to_token(id));
            },
            py::arg("id"))
        .def("is_special", &Tokenizer::is_special, py::arg("id"))
        .def("special_token_count", &Tokenizer::special_token_count, py::arg("pair") = false)
        .def_property_readonly("vocab_size", &Tokenizer::vocab_size)
        .def_property_readonly(
            "truncation_side",
            [](const Tokenizer& self) {
                return self.truncation_side() == TruncationSide::left ? "left" : "right";
            },
            "Which end of a text that is too long is cut off, as the model's files say.")
        .def_property_readonly("pad_id", &Tokenizer::pad_id)
        .def_property_readonly("mask_id", &Tokenizer::mask_id);
}

}  // namespace unitvec::bindings
