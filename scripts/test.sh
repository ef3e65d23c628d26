#!/usr/bin/env bash
# Runs the C++ tests and the Python tests. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ctest --test-dir build/dev --output-on-failure
.venv/bin/python -m pytest "$@"
