#include "bindings.hpp"

namespace unitvec::bindings {

void register_encoder(py::module_&) {}

}  // namespace unitvec::bindings
