#include "bindings.hpp"

namespace unitvec::bindings {

void register_distance(py::module_&) {}

}  // namespace unitvec::bindings
