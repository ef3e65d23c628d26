#!/usr/bin/env bash
# Installs those Debian or Ubuntu packages which building unitvec needs and which are missing.
# Without apt-get it does nothing: CMake then says which package is missing and how it is installed.
#
# usage: system_packages.sh [PACKAGE...]     further packages, beside the compiler and libraries
# UNITVEC_SYSTEM_PACKAGES=skip: the libraries come from elsewhere (conda, a source build).
set -euo pipefail
if [[ ${UNITVEC_SYSTEM_PACKAGES:-} == skip ]] || ! command -v apt-get >/dev/null; then exit 0; fi

# libfaiss-dev brings BLAS and LAPACK.
wanted=(g++ cmake ninja-build ccache libfaiss-dev libeigen3-dev nlohmann-json3-dev "$@")

# Python itself may come from elsewhere (pyenv, uv); only what it lacks is asked of the system.
python=${PYTHON:-python3}
"$python" -c 'import ensurepip, venv' 2>/dev/null || wanted+=(python3 python3-venv)
"$python" - 2>/dev/null <<'HEADERS' || wanted+=(python3-dev)
import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))
HEADERS

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }
missing=()
for package in "${wanted[@]}"; do
    is_installed "$package" || missing+=("$package")
done
((${#missing[@]})) || exit 0

root=()
if [[ $(id -u) != 0 ]]; then
    if ! sudo -n true 2>/dev/null; then
        echo "unitvec needs ${#missing[@]} system package(s). Please run, and then try again:" >&2
        echo "    sudo apt-get update && sudo apt-get install --yes ${missing[*]}" >&2
        exit 1
    fi
    root=(sudo -n)
fi
echo "Installing system packages: ${missing[*]}"
apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
"${apt[@]}" update
"${apt[@]}" install --yes --no-install-recommends "${missing[@]}"
