# Warnings and sanitizers for our own targets; never for other people's headers.
add_library(unitvec_flags INTERFACE)
target_compile_options(unitvec_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns of overlap in "literal" + std::string (GCC bug 105651).
  target_compile_options(unitvec_flags INTERFACE -Wno-restrict)
endif()
if(UNITVEC_WERROR)
  target_compile_options(unitvec_flags INTERFACE -Werror)
endif()
if(UNITVEC_SANITIZE)
  target_compile_options(unitvec_flags INTERFACE -fsanitize=${UNITVEC_SANITIZE}
                                                 -fno-omit-frame-pointer)
  target_link_options(unitvec_flags INTERFACE -fsanitize=${UNITVEC_SANITIZE})
endif()
