# The flags of the kernels' sources, src/kernels/NAME_SET.cpp, and which sets the compiler knows.
#
# UNITVEC_EMULATED_ISAS compiles the sets beyond AVX2 for AVX2, with their own instructions emulated:
# slow, but UNITVEC_ISA can then name them on any machine with AVX2 (whole models, Python's tests).
include(CheckCXXSourceCompiles)

option(UNITVEC_EMULATED_ISAS "Emulate AVX-512, VNNI and BF16, for tests" OFF)

set(UNITVEC_FLAGS_avx2 -mavx2 -mfma -mf16c)
set(UNITVEC_FLAGS_avx2_vnni ${UNITVEC_FLAGS_avx2} -mavxvnni)
set(UNITVEC_FLAGS_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma)
set(UNITVEC_FLAGS_avx512_vnni ${UNITVEC_FLAGS_avx512} -mavx512vnni)
set(UNITVEC_FLAGS_avx512_bf16 ${UNITVEC_FLAGS_avx512_vnni} -mavx512bf16)

# One instruction of each set that not every compiler and assembler knows.
set(UNITVEC_PROBE_avx2_vnni "__m256i f(__m256i a) { return _mm256_dpbusd_avx_epi32(a, a, a); }")
set(UNITVEC_PROBE_avx512_vnni "__m512i f(__m512i a) { return _mm512_dpbusd_epi32(a, a, a); }")
set(UNITVEC_PROBE_avx512_bf16
    "__m512 f(__m512 a, __m512bh b) { return _mm512_dpbf16_ps(a, b, b); }")

function(unitvec_add_instruction_set target name)
  file(GLOB sources CONFIGURE_DEPENDS src/kernels/*_${name}.cpp)
  if(UNITVEC_EMULATED_ISAS AND NOT name STREQUAL "avx2")
    set(flags ${UNITVEC_FLAGS_avx2} -Wno-psabi -DUNITVEC_EMULATED)
    set(UNITVEC_KNOWS_${name} TRUE)
  else()
    set(flags ${UNITVEC_FLAGS_${name}})
    if(DEFINED UNITVEC_PROBE_${name})
      list(JOIN flags " " CMAKE_REQUIRED_FLAGS)
      check_cxx_source_compiles("#include <immintrin.h>\n${UNITVEC_PROBE_${name}}\nint main() {}"
                                UNITVEC_KNOWS_${name})
    else()
      set(UNITVEC_KNOWS_${name} TRUE)
    endif()
  endif()
  if(UNITVEC_KNOWS_${name})
    set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "-O3;${flags}")
    string(TOUPPER UNITVEC_${name} macro)
    target_compile_definitions(${target} PRIVATE ${macro})
  else()
    set_source_files_properties(${sources} PROPERTIES HEADER_FILE_ONLY TRUE)
  endif()
endfunction()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  foreach(name IN ITEMS avx2 avx2_vnni avx512 avx512_vnni avx512_bf16)
    unitvec_add_instruction_set(unitvec_core ${name})
  endforeach()
  if(UNITVEC_EMULATED_ISAS)
    target_compile_definitions(unitvec_core PRIVATE UNITVEC_EMULATED_ISAS)
  endif()
elseif(UNITVEC_EMULATED_ISAS)
  message(FATAL_ERROR "UNITVEC_EMULATED_ISAS is for x86-64.")
endif()
