# What the core is built on: libtorch (from the torch package), FAISS, Eigen and a JSON reader.
include(Fetch)

if(UNITVEC_PYTHON)
  find_package(Python COMPONENTS Interpreter Development.Module REQUIRED)
else()
  find_package(Python COMPONENTS Interpreter)
endif()

# --- libtorch: the one inside the Python package torch, so that one copy serves a whole process ---
if(NOT Torch_DIR)
  if(NOT Python_Interpreter_FOUND)
    message(FATAL_ERROR "unitvec finds libtorch through Python: install Python, or set Torch_DIR.")
  endif()
  execute_process(
    COMMAND
      ${Python_EXECUTABLE} -c
      "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '', end='')"
    OUTPUT_VARIABLE UNITVEC_TORCH_ROOT COMMAND_ERROR_IS_FATAL ANY)
  if(NOT UNITVEC_TORCH_ROOT)
    message(FATAL_ERROR "unitvec needs libtorch 2.13.0: run `pip install torch==2.13.0`, or set "
                        "Torch_DIR to the folder of TorchConfig.cmake.")
  endif()
  set(Torch_DIR ${UNITVEC_TORCH_ROOT}/share/cmake/Torch)
endif()
find_package(Torch 2.13 REQUIRED CONFIG)
find_package(OpenMP REQUIRED COMPONENTS CXX)

# Our own interface target: libtorch's headers are other people's (SYSTEM), and only the libraries
# that we call are linked.
get_filename_component(UNITVEC_TORCH_LIB "${TORCH_LIBRARY}" DIRECTORY)
add_library(unitvec_torch INTERFACE)
target_include_directories(unitvec_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(unitvec_torch INTERFACE ${UNITVEC_TORCH_LIB}/libtorch_cpu.so
                                              ${UNITVEC_TORCH_LIB}/libc10.so)

# The compiler's -fopenmp, linked to the libgomp that libtorch itself loads: two OpenMP runtimes in
# one process would each start a pool of threads.
add_library(unitvec_openmp INTERFACE)
target_compile_options(unitvec_openmp INTERFACE ${OpenMP_CXX_FLAGS})
if(EXISTS ${UNITVEC_TORCH_LIB}/libgomp.so.1)
  target_link_libraries(unitvec_openmp INTERFACE ${UNITVEC_TORCH_LIB}/libgomp.so.1)
else()
  target_link_libraries(unitvec_openmp INTERFACE OpenMP::OpenMP_CXX)
endif()

# --- packages of the system, else fetched ---
find_package(Eigen3 3.4 QUIET NO_MODULE)
if(NOT Eigen3_FOUND)
  set(EIGEN_BUILD_DOC OFF)
  set(BUILD_TESTING OFF)
  unitvec_fetch(Eigen3 https://gitlab.com/libeigen/eigen.git 3.4.0 INSTALL libeigen3-dev
                                                                           eigen3-devel eigen eigen)
endif()

find_package(nlohmann_json 3.10 QUIET CONFIG)
if(NOT nlohmann_json_FOUND)
  unitvec_fetch(nlohmann_json https://github.com/nlohmann/json.git v3.12.0
                INSTALL nlohmann-json3-dev json-devel nlohmann-json nlohmann_json)
endif()

include(Faiss)
