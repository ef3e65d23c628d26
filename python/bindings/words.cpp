#include "unitvec/text/words.hpp"

#include <algorithm>
#include <array>

#include "bindings.hpp"
#include "texts.hpp"
#include "unitvec/parallel.hpp"
#include "unitvec/text/unicode.hpp"
#include "unitvec/text/word_cleaner.hpp"

namespace unitvec::bindings {
namespace {

constexpr std::array kKinds = {"word",     "number", "punctuation", "symbol",  "emoji",
                               "emoticon", "url",    "email",       "hashtag", "mention"};

/// Texts that one task cleans: enough for words to come again.
constexpr std::size_t kTextsPerTask = 256;

py::str to_str(std::string_view utf8) {
    PyObject* const text =
        PyUnicode_DecodeUTF8(utf8.data(), static_cast<py::ssize_t>(utf8.size()), "replace");
    if (text == nullptr) throw py::error_already_set();
    return py::reinterpret_steal<py::str>(text);
}

WordRules rules_of(bool split_contractions, bool split_hyphens) {
    const auto joined = [](bool split) { return split ? Joined::split : Joined::kept; };
    return {joined(split_contractions), joined(split_hyphens)};
}

/// (begin, end, kind) of every word, in code points.
py::list split(const py::object& text, bool split_contractions, bool split_hyphens) {
    Texts texts;
    const auto view = texts.add(text);
    std::vector<Word> words;
    {
        const py::gil_scoped_release nogil;
        split_words(view, rules_of(split_contractions, split_hyphens), words);
    }
    py::list out(words.size());
    std::size_t byte = 0;
    std::size_t code_point = 0;
    const auto code_points_until = [&](std::size_t end) {
        code_point += unicode::count_code_points(view.substr(byte, end - byte));
        byte = end;
        return code_point;
    };
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto begin = code_points_until(words[i].begin);
        const auto end = code_points_until(words[i].end);
        out[i] = py::make_tuple(begin, end, kKinds[static_cast<std::size_t>(words[i].kind)]);
    }
    return out;
}

/// The words of every text, as a list of str each.
py::list split_texts(const py::sequence& items, bool split_contractions, bool split_hyphens) {
    const Texts texts(items);
    const auto rules = rules_of(split_contractions, split_hyphens);
    py::list out(texts.views().size());
    std::vector<Word> words;
    for (std::size_t i = 0; i < texts.views().size(); ++i) {
        const auto text = texts.views()[i];
        words.clear();
        split_words(text, rules, words);
        py::list tokens(words.size());
        for (std::size_t j = 0; j < words.size(); ++j) {
            tokens[j] = to_str(text.substr(words[j].begin, words[j].end - words[j].begin));
        }
        out[i] = std::move(tokens);
    }
    return out;
}

std::vector<std::string> to_strings(const py::sequence& items) {
    const Texts texts(items);
    return {texts.views().begin(), texts.views().end()};
}

/// Puts what a Python function makes of them in the place of all different words.
void lemmatize(std::vector<CleanedTexts>& tasks, const py::function& lemmas_of) {
    std::vector<std::string> words;
    for (const auto& task : tasks) words.insert(words.end(), task.words.begin(), task.words.end());
    std::ranges::sort(words);
    words.erase(std::unique(words.begin(), words.end()), words.end());
    py::list given(words.size());
    for (std::size_t i = 0; i < words.size(); ++i) given[i] = to_str(words[i]);
    const auto lemmas = to_strings(py::sequence(lemmas_of(given)));
    if (lemmas.size() != words.size()) {
        throw std::invalid_argument("[lemmatize] expected a lemma for each of " +
                                    std::to_string(words.size()) + " words, got " +
                                    std::to_string(lemmas.size()));
    }
    for (auto& task : tasks) {
        for (auto& word : task.words) {
            const auto at = std::ranges::lower_bound(words, word) - words.begin();
            word = lemmas[static_cast<std::size_t>(at)];
        }
    }
}

py::list as_tokens(const CleanedTexts& task, std::size_t text, const std::vector<py::str>& words) {
    const std::size_t first = text == 0 ? 0 : task.ends[text - 1];
    py::list tokens(task.ends[text] - first);
    for (std::size_t i = first; i < task.ends[text]; ++i) tokens[i - first] = words[task.tokens[i]];
    return tokens;
}

/// What is left of the texts: a str each, or a list of str each.
py::list clean(const WordCleaner& self, const py::sequence& items, const py::object& lemmas_of,
               bool as_lists, std::size_t threads) {
    const Texts texts(items);
    const std::span<const std::string_view> views(texts.views());
    std::vector<CleanedTexts> tasks((views.size() + kTextsPerTask - 1) / kTextsPerTask);
    {
        const py::gil_scoped_release nogil;
        parallel_for(views.size(), kTextsPerTask, threads, [&](std::size_t begin, std::size_t end) {
            tasks[begin / kTextsPerTask] = self.clean(views.subspan(begin, end - begin));
        });
    }
    if (!lemmas_of.is_none()) lemmatize(tasks, lemmas_of);
    py::list out(views.size());
    std::size_t text = 0;
    for (auto& task : tasks) {
        self.remove_short(task);
        std::vector<py::str> words;
        if (as_lists) {
            for (const auto& word : task.words) words.push_back(to_str(word));
        }
        for (std::size_t i = 0; i < task.ends.size(); ++i, ++text) {
            out[text] =
                as_lists ? py::object(as_tokens(task, i, words)) : to_str(task.join(i, " "));
        }
    }
    return out;
}

/// What becomes of each of some tokens: a list of str each. `min_length` is left to the caller.
py::list clean_tokens(const WordCleaner& self, const py::sequence& items) {
    const Texts texts(items);
    py::list out(texts.views().size());
    std::vector<std::string> words;
    for (std::size_t i = 0; i < texts.views().size(); ++i) {
        const auto token = texts.views()[i];
        words.clear();
        self.apply(token, kind_of_word(token), words);
        py::list left(words.size());
        for (std::size_t j = 0; j < words.size(); ++j) left[j] = to_str(words[j]);
        out[i] = std::move(left);
    }
    return out;
}

WordCleaner make_cleaner(bool split_contractions, bool split_hyphens, bool strip_urls,
                         bool strip_emails, bool remove_punctuation, bool marks_inside_words,
                         const std::string& categories, const std::string& keep, bool keep_emoji,
                         bool remove_numbers, bool remove_digits, bool lowercase,
                         const py::sequence& stop_words, std::size_t min_length) {
    CleanRules rules;
    rules.words = rules_of(split_contractions, split_hyphens);
    rules.strip_urls = strip_urls;
    rules.strip_emails = strip_emails;
    rules.remove_punctuation = remove_punctuation;
    rules.marks_inside_words = marks_inside_words;
    rules.remove_category_p = categories.find('P') != std::string::npos;
    rules.remove_category_s = categories.find('S') != std::string::npos;
    rules.keep_emoji = keep_emoji;
    rules.keep = unicode::decode(keep);
    std::ranges::sort(rules.keep);
    rules.remove_numbers = remove_numbers;
    rules.remove_digits = remove_digits;
    rules.lowercase = lowercase;
    for (auto& word : to_strings(stop_words)) rules.stop_words.insert(std::move(word));
    rules.min_length = min_length;
    return WordCleaner(std::move(rules));
}

}  // namespace

void register_words(py::module_& m) {
    m.def("split_words", &split, py::arg("text"), py::kw_only(),
          py::arg("split_contractions") = false, py::arg("split_hyphens") = false,
          "(begin, end, kind) of every word of a text, in code points.");
    m.def("split_texts", &split_texts, py::arg("texts"), py::kw_only(),
          py::arg("split_contractions") = false, py::arg("split_hyphens") = false,
          "The words of every text, as lists of str.");
    m.def(
        "lower_case",
        [](const py::object& text) {
            Texts texts;
            return to_str(lower_case(texts.add(text)));
        },
        py::arg("text"), "Full lower case, with the final sigma.");
    py::class_<WordCleaner>(m, "WordCleaner",
                            "Cleaned words in the core; use unitvec.preprocessing.Pipeline.")
        .def(py::init(&make_cleaner), py::kw_only(), py::arg("split_contractions") = false,
             py::arg("split_hyphens") = false, py::arg("strip_urls") = false,
             py::arg("strip_emails") = false, py::arg("remove_punctuation") = false,
             py::arg("marks_inside_words") = false, py::arg("categories") = "PS",
             py::arg("keep") = "", py::arg("keep_emoji") = false, py::arg("remove_numbers") = false,
             py::arg("remove_digits") = false, py::arg("lowercase") = false,
             py::arg("stop_words") = py::tuple(), py::arg("min_length") = 0)
        .def("clean", &clean, py::arg("texts"), py::kw_only(), py::arg("lemmas_of") = py::none(),
             py::arg("as_lists") = false, py::arg("threads") = 0)
        .def("clean_tokens", &clean_tokens, py::arg("tokens"));
}

}  // namespace unitvec::bindings
