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
  unitvec_fetch(faiss https://github.com/facebookresearch/faiss.git v1.15.1 INSTALL libfaiss-dev
                faiss-devel faiss faiss-cpu)
endif()

find_package(BLAS REQUIRED)
find_package(LAPACK REQUIRED)
add_library(unitvec_faiss INTERFACE)
target_link_libraries(unitvec_faiss INTERFACE faiss ${UNITVEC_TORCH_LIB}/libtorch_cpu.so
                                              ${LAPACK_LIBRARIES} ${BLAS_LIBRARIES})
get_target_property(UNITVEC_FAISS_INCLUDES faiss INTERFACE_INCLUDE_DIRECTORIES)
if(UNITVEC_FAISS_INCLUDES)
  target_include_directories(unitvec_faiss SYSTEM INTERFACE ${UNITVEC_FAISS_INCLUDES})
endif()
