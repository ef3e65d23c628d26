#!/usr/bin/env bash
# Fuzzes the readers of models' and indexes' files: every target for SECONDS_EACH (30 minutes where nothing
# is said), starting from tests/fuzz/corpus. A finding is kept under build/fuzz and ends the run with an error.
#
# usage: fuzz.sh [SECONDS_EACH [TARGET ...]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-1800}
shift || true
targets=("$@")
[[ ${#targets[@]} -gt 0 ]] || targets=(tokenizer_json vocab_txt text safetensors config index)

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
    echo "== $target, $seconds s"
    options=()
    [[ ! -f tests/fuzz/$target.dict ]] || options=(-dict="tests/fuzz/$target.dict")
    build/fuzz/fuzz_"$target" "${options[@]}" -max_total_time="$seconds" -print_final_stats=1 -timeout=20 \
        -rss_limit_mb=2048 -artifact_prefix="$found/" -verbosity=0 \
        "$found/corpus" tests/fuzz/corpus/"$target"
done
