include(FetchContent)

# Says in one sentence how to get a package when it is neither installed nor can be fetched.
function(unitvec_fetch name url tag)
  cmake_parse_arguments(ARG "" "" "INSTALL" ${ARGN})
  find_program(UNITVEC_GIT git)
  if(UNITVEC_GIT)
    execute_process(
      COMMAND ${UNITVEC_GIT} ls-remote --exit-code ${url} ${tag}
      RESULT_VARIABLE unreachable
      OUTPUT_QUIET ERROR_QUIET
      TIMEOUT 30)
  endif()
  if(NOT UNITVEC_GIT OR NOT unreachable EQUAL 0)
    list(GET ARG_INSTALL 0 debian)
    list(GET ARG_INSTALL 1 fedora)
    list(GET ARG_INSTALL 2 brew)
    list(GET ARG_INSTALL 3 conda)
    message(
      FATAL_ERROR
        "unitvec needs ${name}, which is not installed, and ${url} (${tag}) cannot be reached to fetch it. "
        "Install it with one of: `apt-get install ${debian}` (Debian, Ubuntu), `dnf install ${fedora}` "
        "(Fedora), `brew install ${brew}` (Homebrew), `conda install -c conda-forge ${conda}` (conda)."
    )
  endif()
  FetchContent_Declare(
    ${name}
    GIT_REPOSITORY ${url}
    GIT_TAG ${tag}
    GIT_SHALLOW ON
    SYSTEM EXCLUDE_FROM_ALL)
  FetchContent_MakeAvailable(${name})
endfunction()
