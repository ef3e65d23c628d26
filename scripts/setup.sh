#!/usr/bin/env bash
# From a fresh clone to an installed unitvec: system packages, .venv, build.
#
# usage: setup.sh LEVEL
#   demo   what running unitvec needs, and a small model
#   test   and the C++ tests, pytest, and what the tests compare with
#   dev    and the formatters and checkers
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
level=${1:?usage: setup.sh demo|test|dev}

case $level in
    demo) scripts/system_packages.sh ;;
    test | dev) scripts/system_packages.sh catch2 ;;
    *) echo "setup.sh: the level is demo, test or dev, not '$level'" >&2 && exit 2 ;;
esac
scripts/python_packages.sh "$level"
scripts/build.sh "$level"
