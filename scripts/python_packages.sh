#!/usr/bin/env bash
# Makes .venv and installs the Python packages of one level (see requirements.py) into it.
#
# Which packages: pyproject.toml says. Where from: pip's ordinary configuration; where that finds
# only torch's CUDA build and the CPU build is wanted, set PIP_EXTRA_INDEX_URL.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
level=${1:?usage: python_packages.sh LEVEL}
venv_python=.venv/bin/python

if ! "$venv_python" -c '' 2>/dev/null; then  # absent, or its interpreter is gone
    python=${PYTHON:-python3}
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
        echo "unitvec needs Python 3.10 or later, got $("$python" --version 2>&1)." \
             "Name another with PYTHON=python3.12 make ..." >&2
        exit 1
    fi
    "$python" -m venv --clear .venv
fi

requirements=$("$venv_python" scripts/requirements.py "$level")
# The build needs CMake 3.24; where the system's is older, PyPI's serves.
oldest=$(printf '%s\n' 3.24 "$(cmake --version 2>/dev/null | sed -n 's/^cmake version //p')" | sort -V | head -n 1)
[[ $oldest == 3.24 ]] || requirements+=$'\ncmake>=3.24'
command -v ninja >/dev/null || requirements+=$'\nninja'

stamp=.venv/installed-$level.txt
if [[ -f $stamp && $(<"$stamp") == "$requirements" ]]; then exit 0; fi
echo "Installing Python packages into .venv (the first time this takes a minute or two)"
printf '%s\n' "$requirements" >"$stamp.new"
"$venv_python" -m pip install --quiet --quiet --disable-pip-version-check -r "$stamp.new"
mv "$stamp.new" "$stamp"
