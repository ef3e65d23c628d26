# FAISS, and the BLAS and LAPACK that it calls, as the target unitvec_faiss.
#
# libtorch_cpu.so exports MKL's sgemm_ and is put first on the link line, so FAISS's exact search runs
# at MKL's speed; BLAS and LAPACK come after it and serve only what libtorch leaves out (dsyev_,
# dgesvd_, ssyrk_, dgetri_ ...: used in training, not in search). tests/python/test_link.py shows it.
if(UNITVEC_FAISS STREQUAL "fetch")
  set(faiss_FOUND FALSE)
elseif(UNITVEC_FAISS STREQUAL "system")
  find_package(faiss 1.7.3 CONFIG REQUIRED)
elseif(UNITVEC_FAISS STREQUAL "auto")
  find_package(faiss 1.7.3 CONFIG QUIET)
else()
  message(FATAL_ERROR "UNITVEC_FAISS is system, fetch or auto, not '${UNITVEC_FAISS}'.")
endif()

if(NOT faiss_FOUND)
  set(FAISS_ENABLE_GPU OFF)
  set(FAISS_ENABLE_PYTHON OFF)
  set(FAISS_ENABLE_C_API OFF)
  set(FAISS_ENABLE_EXTRAS OFF)
  set(FAISS_OPT_LEVEL dd) # FAISS's own run-time dispatch
  set(BUILD_TESTING OFF)
  set(BUILD_SHARED_LIBS OFF)
  unitvec_fetch(faiss https://github.com/facebookresearch/faiss.git v1.15.1
                INSTALL libfaiss-dev faiss-devel faiss faiss-cpu)
endif()

# A wheel must not need a BLAS or a Fortran run-time library of the machine that it lands on. Six
# routines are all that libtorch leaves out; linked from the archives they add 0.4 MB, where copies
# of the shared libraries beside the extension (auditwheel's way) would add 11 MB. libgfortran.a is
# not made for shared libraries, but what would pull in its input and output is xerbla_ alone, and
# that libtorch has; --gc-sections drops the rest.
option(UNITVEC_STATIC_LAPACK "Link BLAS and LAPACK statically, as wheels need it" OFF)
if(UNITVEC_STATIC_LAPACK)
  find_library(UNITVEC_LAPACK_ARCHIVE liblapack.a REQUIRED)
  find_library(UNITVEC_BLAS_ARCHIVE libblas.a REQUIRED)
  execute_process(
    COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libgfortran.a
    OUTPUT_VARIABLE UNITVEC_GFORTRAN_ARCHIVE OUTPUT_STRIP_TRAILING_WHITESPACE
                                             COMMAND_ERROR_IS_FATAL ANY)
  if(NOT EXISTS "${UNITVEC_GFORTRAN_ARCHIVE}")
    message(FATAL_ERROR "UNITVEC_STATIC_LAPACK needs libgfortran.a: install the package "
                        "libgfortran-N-dev (Debian, Ubuntu) for version N of the compiler.")
  endif()
  set(UNITVEC_LAPACK ${UNITVEC_LAPACK_ARCHIVE} ${UNITVEC_BLAS_ARCHIVE} ${UNITVEC_GFORTRAN_ARCHIVE}
                     -Wl,--gc-sections)
  # Debian's package names the shared BLAS and LAPACK itself.
  set_target_properties(faiss PROPERTIES INTERFACE_LINK_LIBRARIES "")
else()
  find_package(BLAS REQUIRED)
  find_package(LAPACK REQUIRED)
  set(UNITVEC_LAPACK ${LAPACK_LIBRARIES} ${BLAS_LIBRARIES})
endif()

add_library(unitvec_faiss INTERFACE)
target_link_libraries(unitvec_faiss INTERFACE faiss ${UNITVEC_TORCH_LIB}/libtorch_cpu.so
                                              ${UNITVEC_LAPACK})
get_target_property(UNITVEC_FAISS_INCLUDES faiss INTERFACE_INCLUDE_DIRECTORIES)
if(UNITVEC_FAISS_INCLUDES)
  target_include_directories(unitvec_faiss SYSTEM INTERFACE ${UNITVEC_FAISS_INCLUDES})
endif()
