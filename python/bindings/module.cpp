#include <map>
#include <string>

#include "bindings.hpp"
#include "unitvec/cpu.hpp"
#include "unitvec/parallel.hpp"

using namespace unitvec::bindings;

PYBIND11_MODULE(_core, m) {
    m.doc() = "The C++ core of unitvec. Import its names from unitvec, not from here.";

    py::register_exception<unitvec::FormatError>(m, "FormatError", PyExc_ValueError);
    // A binding's interrupt check has already set the Python error (KeyboardInterrupt).
    py::register_exception_translator([](std::exception_ptr p) {
        try {
            if (p) std::rethrow_exception(p);
        } catch (const unitvec::Interrupted&) {
            if (PyErr_Occurred() == nullptr) PyErr_SetNone(PyExc_KeyboardInterrupt);
        }
    });

    m.def(
        "active_isa", [] { return std::string(unitvec::name(unitvec::active_isa())); },
        "The instruction set the kernels use, one of available_isas().");
    m.def(
        "available_isas",
        [] {
            std::vector<std::string> names;
            for (const auto isa : unitvec::available_isas()) names.emplace_back(unitvec::name(isa));
            return names;
        },
        "The instruction sets this processor can run, slowest first.");
    m.def("default_threads", &unitvec::default_threads,
          "Threads of a call that asks for none: OMP_NUM_THREADS, else the processors that this "
          "process may use.");
    m.def(
        "products",
        [] {
            const auto isa = unitvec::active_isa();
            return std::map<std::string, std::string>{
                {"bfloat16", std::string(unitvec::bfloat16_products(isa))},
                {"int8", std::string(unitvec::int8_products(isa))},
                {"float32", "native"},
            };
        },
        "How the instruction set in use makes products of numbers of each dtype.");

    register_tokenizer(m);
    register_encoder(m);
    register_pretraining_heads(m);
    register_step_times(m);
    register_torchscript(m);
    register_distance(m);
    register_index(m);
    register_kmeans(m);
    register_nominees(m);
    register_stored_rows(m);
    register_words(m);
}
