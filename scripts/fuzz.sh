#!/usr/bin/env bash
# Fuzzes the readers of models' and indexes' files: every target for SECONDS_EACH (30 minutes where nothing
# is said), starting from tests/fuzz/corpus. A finding is kept under build/fuzz and ends the run with an error.
#
# usage: fuzz.sh [SECONDS_EACH [TARGET ...]]
#
# UNITVEC_FUZZ_RUNS=N runs every target so often instead: a hundred million before a release, in as many
# processes as there are processors. UNITVEC_RELIABILITY_REPORT names a file for a line of JSON about each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-1800}
shift || true
targets=("$@")
[[ ${#targets[@]} -gt 0 ]] || targets=(tokenizer_json vocab_txt text safetensors config index)
runs=${UNITVEC_FUZZ_RUNS:-}
seed=${UNITVEC_SEED:-20261123}

compiler=$(compgen -c clang++- | sort -V | tail -1 || true)
compiler=${compiler:-$(command -v clang++ || true)}
if [[ -z $compiler ]]; then
    echo "fuzz.sh: libFuzzer comes with clang, 16 or later: apt-get install clang-16 libclang-rt-16-dev" >&2
    exit 1
fi
mkdir -p build
cmake -S tests/fuzz -B build/fuzz -DCMAKE_CXX_COMPILER="$compiler" -G Ninja >build/fuzz-configure.log
cmake --build build/fuzz

for target in "${targets[@]}"; do
    found=build/fuzz/$target
    mkdir -p "$found/corpus"
    options=(-print_final_stats=1 -timeout=20 -rss_limit_mb=2048 -artifact_prefix="$found/" -verbosity=0)
    [[ ! -f tests/fuzz/$target.dict ]] || options+=(-dict="tests/fuzz/$target.dict")
    jobs=1
    if [[ -n $runs ]]; then
        jobs=$(nproc)
        options+=(-runs=$((runs / jobs)))
        echo "== $target, $runs runs"
    else
        options+=(-max_total_time="$seconds")
        echo "== $target, $seconds s"
    fi
    pids=()
    for ((job = 0; job < jobs; job++)); do
        build/fuzz/fuzz_"$target" "${options[@]}" -seed=$((seed + job)) "$found/corpus" tests/fuzz/corpus/"$target" \
            >"$found/log-$job" 2>&1 &
        pids+=($!)
    done
    failed=0
    for pid in "${pids[@]}"; do
        wait "$pid" || failed=1
    done
    tail -n 12 "$found"/log-*
    if ((failed)); then
        echo "fuzz.sh: $target found something; it lies in $found" >&2
        exit 1
    fi
    if [[ -n ${UNITVEC_RELIABILITY_REPORT:-} ]]; then
        executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$found"/log-* | awk "{ sum += \$1 } END { print sum }")
        printf '{"gate": "Z1", "seed": %d, "parsers": 1, "executions": %d, "findings": 0}\n' \
            "$seed" "$executions" >>"$UNITVEC_RELIABILITY_REPORT"
    fi
done
