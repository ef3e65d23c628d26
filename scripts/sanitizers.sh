#!/usr/bin/env bash
# The C++ tests and the fuzzers' corpora under AddressSanitizer and UndefinedBehaviorSanitizer; libtorch and
# FAISS stay as they are. A report ends the run with an error. Needs `make setup`.
#
# usage: sanitizers.sh [CTEST_ARGUMENT ...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p build
cmake -S . -B build/sanitized -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DUNITVEC_TESTS=ON \
    -DUNITVEC_SANITIZE=address,undefined -DPython_EXECUTABLE="$PWD/.venv/bin/python" \
    >build/sanitized-configure.log
cmake --build build/sanitized
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
ctest --test-dir build/sanitized --output-on-failure "$@"
