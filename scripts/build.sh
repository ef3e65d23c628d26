#!/usr/bin/env bash
# Builds the extension module in build/dev and installs unitvec into .venv, editable; at the levels
# test and dev the C++ tests and the example programs too. Does nothing when nothing changed since the last time.
#
# UNITVEC_WERROR=ON makes warnings errors.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
level=${1:?usage: build.sh LEVEL}
defines=("UNITVEC_WERROR=${UNITVEC_WERROR:-OFF}")
kind=extension
if [[ $level == test || $level == dev ]]; then
    kind=tests
    defines+=(UNITVEC_TESTS=ON UNITVEC_APPS=ON)
fi

# What the build reads, with its time of change; of the Python modules only the names, because an
# editable install reads them where they are.
fingerprint() {
    printf '%s\n' "${defines[0]}"
    find CMakeLists.txt pyproject.toml cmake cpp python/bindings tests/cpp tests/fuzz/*.?pp -type f -printf '%p %T@\n' | sort
    find python/unitvec -name '*.py' -print | sort
}
now=$(fingerprint | sha256sum)
stamp=.venv/built-$kind.txt
if [[ -f $stamp && $(<"$stamp") == "$now" && -f build/dev/build.ninja ]]; then exit 0; fi

echo "Building unitvec (the first time this takes a few minutes)"
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1  # a hit in one clone is a hit in another
PATH=$PWD/.venv/bin:$PATH .venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --no-build-isolation --no-deps --editable . -Cbuild-dir=build/dev \
    "${defines[@]/#/-Ccmake.define.}"
printf '%s\n' "$now" >"$stamp"
if [[ $kind == tests ]]; then cp "$stamp" .venv/built-extension.txt; fi  # it is in there too
