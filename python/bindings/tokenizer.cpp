#include "bindings.hpp"

namespace unitvec::bindings {

void register_tokenizer(py::module_&) {}

}  // namespace unitvec::bindings
