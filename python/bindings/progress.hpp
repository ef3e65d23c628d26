#pragma once
/// How long work tells Python of its progress, and Python stops it.
#include <pybind11/pybind11.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>

namespace unitvec::bindings {

/// Lets Ctrl-C through, from code that runs without the GIL. Ten times a second: waiting for the
/// GIL can take longer than the work between two calls.
inline std::function<void()> check_signals() {
    return [next = std::chrono::steady_clock::now()]() mutable {
        const auto now = std::chrono::steady_clock::now();
        if (now < next) return;
        next = now + std::chrono::milliseconds(100);
        const pybind11::gil_scoped_acquire gil;
        if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
    };
}

/// Calls Python's `progress(texts_done)` and lets Ctrl-C through, likewise.
inline std::function<void(std::size_t)> progress_callback(
    const std::optional<pybind11::function>& progress) {
    return [progress](std::size_t done) {
        const pybind11::gil_scoped_acquire gil;
        if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
        if (progress) (*progress)(done);
    };
}

}  // namespace unitvec::bindings
