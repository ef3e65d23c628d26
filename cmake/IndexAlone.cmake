# The index without the rest of the core, as the target unitvec_index: for programs that build it
# again with a sanitizer and have no use for libtorch. FAISS is the system's, and BLAS serves in
# place of libtorch's. Where FAISS is not installed there is no target.
find_package(faiss 1.7.3 CONFIG QUIET)
if(NOT faiss_FOUND)
  message(WARNING "FAISS is not installed (libfaiss-dev): the index is left out.")
  return()
endif()
find_package(BLAS REQUIRED)
find_package(LAPACK REQUIRED)
find_package(Threads REQUIRED)

# FAISS asks for OpenMP's target, and the sources for omp.h. A clang that came without an OpenMP of
# its own knows where GCC's is; of GCC's headers it may see this one only.
find_package(OpenMP QUIET COMPONENTS CXX)
if(NOT TARGET OpenMP::OpenMP_CXX)
  foreach(file IN ITEMS libgomp.so include/omp.h)
    execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${file} OUTPUT_VARIABLE found
                    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    if(NOT EXISTS "${found}")
      message(FATAL_ERROR "The index needs OpenMP: install g++, or libomp-dev for clang.")
    endif()
    list(APPEND UNITVEC_GOMP ${found})
  endforeach()
  list(GET UNITVEC_GOMP 0 library)
  list(GET UNITVEC_GOMP 1 header)
  file(READ ${header} text)
  string(REPLACE "__malloc__ (omp_free)" "__malloc__" text "${text}") # an argument of GCC's only
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/openmp/omp.h "${text}")
  add_library(OpenMP::OpenMP_CXX INTERFACE IMPORTED)
  target_link_libraries(OpenMP::OpenMP_CXX INTERFACE ${library})
  target_include_directories(OpenMP::OpenMP_CXX INTERFACE ${CMAKE_CURRENT_BINARY_DIR}/openmp)
endif()

set(core ${CMAKE_CURRENT_LIST_DIR}/../cpp)
file(GLOB sources CONFIGURE_DEPENDS ${core}/src/search/*.cpp ${core}/src/kernels/distance*.cpp)
foreach(name cgroup cpu error file normalize parallel processors replace_file thread_pool types
             vector_length)
  list(APPEND sources ${core}/src/${name}.cpp)
endforeach()
add_library(unitvec_index STATIC ${sources})
target_include_directories(unitvec_index PUBLIC ${core}/include ${core}/src)
target_link_libraries(unitvec_index PUBLIC faiss OpenMP::OpenMP_CXX LAPACK::LAPACK BLAS::BLAS
                                           Threads::Threads)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties(${core}/src/kernels/distance_avx2.cpp
                              PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mf16c")
  set_source_files_properties(
    ${core}/src/kernels/distance_avx512.cpp
    PROPERTIES COMPILE_OPTIONS "-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mfma")
endif()
