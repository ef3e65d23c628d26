#!/usr/bin/env bash
# An index of every kind under ThreadSanitizer, then under AddressSanitizer and UndefinedBehaviorSanitizer:
# fifteen threads search it while one changes it. A report of a sanitizer, or a wrong answer, ends the run with
# an error.
#
# usage: threads.sh [OPERATIONS [KIND ...]]     two million each where nothing is said
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
operations=${1:-2000000}
shift || true
kinds=("$@")
[[ ${#kinds[@]} -gt 0 ]] || kinds=(flat hnsw hnsw_sq ivf ivfpq)

# Some kernels spread addresses farther than the sanitizer of GCC 12 can follow.
fixed=(setarch "$(uname -m)" -R)
"${fixed[@]}" true 2>/dev/null || fixed=()
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

mkdir -p build
for sanitizers in thread address,undefined; do
    build=build/threads-${sanitizers%,*}
    cmake -S tests/threads -B "$build" -G Ninja "-DUNITVEC_SANITIZE=$sanitizers" >build/threads-configure.log
    cmake --build "$build"
    for kind in "${kinds[@]}"; do
        "${fixed[@]}" "$build/index_threads" "$kind" "$operations"
        if [[ -n ${UNITVEC_RELIABILITY_REPORT:-} ]]; then
            printf '{"gate": "T1", "seed": 0, "sanitizers": "%s", "operations": %d, "threads": 16, "reports": 0}\n' \
                "${sanitizers//,/ and }" "$operations" >>"$UNITVEC_RELIABILITY_REPORT"
        fi
    done
done
