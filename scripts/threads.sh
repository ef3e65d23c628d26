#!/usr/bin/env bash
# An index of every kind under ThreadSanitizer: fifteen threads search it while one changes it. A
# report of the sanitizer, or a wrong answer, ends the run with an error.
#
# usage: threads.sh [OPERATIONS [KIND ...]]     two million each where nothing is said
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
operations=${1:-2000000}
shift || true
kinds=("$@")
[[ ${#kinds[@]} -gt 0 ]] || kinds=(flat hnsw hnsw_sq ivf ivfpq)

mkdir -p build
cmake -S tests/threads -B build/threads -G Ninja >build/threads-configure.log
cmake --build build/threads

# Some kernels spread addresses farther than the sanitizer of GCC 12 can follow.
fixed=(setarch "$(uname -m)" -R)
"${fixed[@]}" true 2>/dev/null || fixed=()
for kind in "${kinds[@]}"; do
    "${fixed[@]}" build/threads/index_threads "$kind" "$operations"
    if [[ -n ${UNITVEC_RELIABILITY_REPORT:-} ]]; then
        echo "{\"gate\": \"T1\", \"seed\": 0, \"operations\": $operations, \"threads\": 16, \"reports\": 0}" \
            >>"$UNITVEC_RELIABILITY_REPORT"
    fi
done
