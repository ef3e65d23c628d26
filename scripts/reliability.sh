#!/usr/bin/env bash
# Tries every gate of reliability as often as a release needs, and brings its table up to date.
#
# usage: reliability.sh [PYTEST_ARGUMENT ...]     arguments go to the gates; then no table is made
#
# UNITVEC_RELIABILITY=0.1 tries each a tenth as often; the table counts what was tried.
# UNITVEC_SEED=N chooses other kills, flips and orders than the last time. UNITVEC_FUZZ_RUNS=N: runs of each
# parser (needs clang); a million where nothing is said, since the hundred million of a release take two
# processors a week.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=.venv/bin/python
mkdir -p build
export UNITVEC_RELIABILITY=${UNITVEC_RELIABILITY:-full}
export UNITVEC_RELIABILITY_REPORT=$PWD/build/reliability.jsonl
rm -f "$UNITVEC_RELIABILITY_REPORT"

if [[ $# -gt 0 ]]; then
    exec "$python" -m pytest tests/reliability "$@"
fi
UNITVEC_FUZZ_RUNS=${UNITVEC_FUZZ_RUNS:-1000000} scripts/fuzz.sh
UNITVEC_EXAMPLES=200000 "$python" -m pytest tests/python \
    -k "any_text or any_damage or any_flipped or forked_after_use or long_job"
"$python" -m pytest tests/reliability
scripts/sanitizers.sh
scripts/threads.sh
"$python" -m benchmarks.reliability "$UNITVEC_RELIABILITY_REPORT"
