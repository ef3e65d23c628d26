# ccache where it is installed, unless the caller chose a launcher: a rebuild in another folder is then quick.
find_program(UNITVEC_CCACHE ccache)
mark_as_advanced(UNITVEC_CCACHE)
if(UNITVEC_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${UNITVEC_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${UNITVEC_CCACHE})
endif()
