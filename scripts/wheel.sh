#!/usr/bin/env bash
# Builds a wheel into wheelhouse/, with FAISS, BLAS and LAPACK inside and libtorch left to the torch
# package, then installs it into an environment of its own and asks it something (smoke.py).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
compiler=$("${CXX:-g++}" -dumpversion 2>/dev/null | cut -d. -f1 || true)
scripts/system_packages.sh ${compiler:+"libgfortran-$compiler-dev"}
scripts/python_packages.sh wheel

rm -rf dist wheelhouse build/wheel-venv
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
PATH=$PWD/.venv/bin:$PATH
echo "Building the wheel"
pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps --wheel-dir dist . \
    -Cbuild-dir=build/wheel -Ccmake.define.UNITVEC_STATIC_LAPACK=ON
# Nothing is left to copy in: auditwheel finds the oldest system that the wheel runs on and says so
# in its name, and fails when a library is needed that neither the system nor torch has.
auditwheel repair --exclude 'libtorch*.so' --exclude libc10.so --exclude libgomp.so.1 \
    --wheel-dir wheelhouse dist/*.whl

echo "Asking the wheel in a clean environment"
.venv/bin/python -m venv build/wheel-venv
wheel=$(echo "$PWD"/wheelhouse/*.whl)
build/wheel-venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check \
    "unitvec[minilm] @ file://${wheel// /%20}"
(cd build/wheel-venv && bin/python -I ../../scripts/smoke.py)
ls -lh wheelhouse
