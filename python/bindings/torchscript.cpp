#include "unitvec/model/torchscript.hpp"

#include <optional>
#include <string>

#include "bindings.hpp"
#include "progress.hpp"
#include "unitvec/model/image_module.hpp"

namespace unitvec::bindings {
namespace {

template <typename Module>
auto loader() {
    return [](const std::string& file, std::size_t max_positions, std::int32_t padding_id,
              std::size_t pad_to) {
        const py::gil_scoped_release nogil;
        return Module::load(file, {max_positions, padding_id, pad_to});
    };
}

py::array_t<float> embed_texts(const TorchScriptTextEncoder& encoder,
                               const TokenSequences& sequences, std::size_t threads,
                               const std::optional<py::function>& progress) {
    const auto on_progress = progress_callback(progress);
    Matrix vectors;
    {
        const py::gil_scoped_release nogil;
        vectors = encoder.embed(sequences, threads, on_progress);
    }
    return to_numpy(std::move(vectors));
}

py::array_t<float> embed_images(const TorchScriptImageEncoder& encoder, const FloatArray& pixels,
                                std::size_t threads) {
    if (pixels.ndim() != 4 || pixels.shape(1) != 3) {
        throw_invalid("embed", "pixels of shape (n, 3, height, width)", "another shape");
    }
    const PixelValues values{pixels.data(), static_cast<std::size_t>(pixels.shape(0)),
                             static_cast<std::size_t>(pixels.shape(2)),
                             static_cast<std::size_t>(pixels.shape(3))};
    Matrix vectors;
    {
        const py::gil_scoped_release nogil;
        vectors = encoder.embed(values, threads);
    }
    return to_numpy(std::move(vectors));
}

}  // namespace

void register_torchscript(py::module_& m) {
    py::class_<TorchScriptEncoder, Encoder>(m, "TorchScriptEncoder")
        .def_static("load", loader<TorchScriptEncoder>(), py::arg("file"), py::arg("max_positions"),
                    py::arg("padding_id") = 0, py::arg("pad_to") = 0);

    py::class_<TorchScriptTextEncoder>(m, "TorchScriptTextEncoder",
                                       "A module that gives every text a vector by itself.")
        .def_static("load", loader<TorchScriptTextEncoder>(), py::arg("file"),
                    py::arg("max_positions"), py::arg("padding_id") = 0, py::arg("pad_to") = 0)
        .def_property_readonly("dim", &TorchScriptTextEncoder::dim, "Length of a vector.")
        .def_property_readonly("max_positions", &TorchScriptTextEncoder::max_positions,
                               "Longest text in tokens; 0: not known.")
        .def("embed", &embed_texts, py::arg("sequences"), py::arg("threads") = 0,
             py::arg("progress") = py::none(),
             "One vector per text, shape (texts, dim); progress(texts_done) is called after each "
             "group.");

    py::class_<TorchScriptImageEncoder>(m, "TorchScriptImageEncoder",
                                        "A module that gives every image a vector.")
        .def_static(
            "load",
            [](const std::string& file, std::size_t height, std::size_t width) {
                const py::gil_scoped_release nogil;
                return TorchScriptImageEncoder::load(file, height, width);
            },
            py::arg("file"), py::arg("height"), py::arg("width"))
        .def_property_readonly("dim", &TorchScriptImageEncoder::dim, "Length of a vector.")
        .def("embed", &embed_images, py::arg("pixels"), py::arg("threads") = 0,
             "One vector per image, shape (n, dim), from pixels of shape (n, 3, height, width).");
}

}  // namespace unitvec::bindings
