#include "unitvec/model/step_times.hpp"

#include "bindings.hpp"

namespace unitvec::bindings {

void register_step_times(py::module_& m) {
    m.def("start_step_times", &start_step_times,
          "Records where the time of every forward pass of the process goes, for benchmarks.");
    m.def(
        "stop_step_times",
        [] {
            const StepSeconds seconds = stop_step_times();
            py::dict by_name;
            for (std::size_t i = 0; i < kSteps; ++i) {
                by_name[py::str(name(static_cast<Step>(i)))] = seconds[i];
            }
            return by_name;
        },
        "Ends recording; seconds by step, summed over threads with batches of their own.");
}

}  // namespace unitvec::bindings
