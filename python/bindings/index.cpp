#include "bindings.hpp"

namespace unitvec::bindings {

void register_index(py::module_&) {}

}  // namespace unitvec::bindings
