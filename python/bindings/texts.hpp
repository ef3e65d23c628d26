#pragma once
/// Python strings as UTF-8 views.
#include <pybind11/pybind11.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace unitvec::bindings {

/// Views of Python strings that stay valid as long as this lives, also without the GIL. ASCII
/// strings are not copied; of others CPython keeps the UTF-8 form in the string itself. A lone
/// surrogate, which UTF-8 cannot say, reads as U+FFFD.
class Texts {
public:
    Texts() = default;
    /// Every str of a sequence. @throws pybind11::type_error for anything else, a single str too
    explicit Texts(const pybind11::sequence& texts) {
        if (PyUnicode_Check(texts.ptr())) {
            throw pybind11::type_error("texts must be a list of str, got one str");
        }
        views_.reserve(texts.size());
        for (const auto& text : texts) views_.push_back(add(text, "every text"));
    }
    Texts(const Texts&) = delete;  // views point into owned_
    Texts& operator=(const Texts&) = delete;

    /// @throws pybind11::type_error unless `text` is a str; `what` names it in the message
    std::string_view add(pybind11::handle text, const char* what = "text") {
        if (!PyUnicode_Check(text.ptr())) {
            throw pybind11::type_error(std::string(what) + " must be a str, got " +
                                       Py_TYPE(text.ptr())->tp_name);
        }
        kept_.push_back(pybind11::reinterpret_borrow<pybind11::object>(text));
        Py_ssize_t size = 0;
        if (const char* utf8 = PyUnicode_AsUTF8AndSize(text.ptr(), &size)) {
            return {utf8, static_cast<std::size_t>(size)};
        }
        return add_with_surrogates(text);
    }

    /// The texts that the constructor was given, in order.
    [[nodiscard]] const std::vector<std::string_view>& views() const { return views_; }

private:
    std::string_view add_with_surrogates(pybind11::handle text) {
        PyErr_Clear();
        const auto bytes = pybind11::reinterpret_steal<pybind11::object>(
            PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogatepass"));
        if (!bytes) throw pybind11::error_already_set();
        std::string& utf8 =
            owned_.emplace_back(PyBytes_AS_STRING(bytes.ptr()),
                                static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.ptr())));
        // A surrogate is ED A0..BF xx; no other character has such a pair of bytes.
        for (std::size_t at = utf8.find('\xED'); at != std::string::npos;
             at = utf8.find('\xED', at + 3)) {
            if (static_cast<unsigned char>(utf8[at + 1]) >= 0xA0)
                utf8.replace(at, 3, "\xEF\xBF\xBD");
        }
        return utf8;
    }

    std::vector<std::string_view> views_;
    std::deque<std::string> owned_;
    std::vector<pybind11::object> kept_;
};

}  // namespace unitvec::bindings
