#!/usr/bin/env bash
# The bar of parser and byte decoder: N executions of parser_fuzzer under AddressSanitizer and UBSan without a report, shared out to JOBS
# processes. Needs no compiler: the program and the seeds may be carried to another machine.
#
#   fuzz/parser_bar.sh N [JOBS] [PROGRAM] [SEEDS]      build/fuzz/parser_fuzzer and corpus/ if not given
#
# Prints one line; what libFuzzer and the sanitizers said stays in the folder named there. Exit code 0: no report, 1: a
# report, 2: bad usage, 3: something is missing.
set -euo pipefail

usage() { echo "parser_bar: expected N [JOBS] [PROGRAM] [SEEDS], N and JOBS positive; got: $*" >&2; exit 2; }
[[ $# -ge 1 && $# -le 4 && $1 =~ ^[1-9][0-9]{0,11}$ ]] || usage "$@"
runs=$1 jobs=${2:-$(nproc)}
[[ $jobs =~ ^[1-9][0-9]{0,3}$ ]] || usage "$@"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=${3:-$root/build/fuzz/parser_fuzzer} seeds=${4:-$root/corpus}
[[ -x $program ]] || { echo "parser_bar: no program $program; build it with: cmake --preset fuzz && cmake --build --preset fuzz" >&2; exit 3; }
[[ -d $seeds ]] || { echo "parser_bar: no folder $seeds" >&2; exit 3; }
# A program without the sanitizers would pass whatever happens. grep reads to the end: -q would break the pipe.
[[ $(grep -c -a -e __asan_init -e __ubsan_handle "$program") -gt 0 ]] ||
  { echo "parser_bar: $program is built without sanitizers" >&2; exit 3; }

work=$(mktemp -d "${TMPDIR:-/tmp}/parser_bar.XXXXXX")
# Short allocation stacks, a small quarantine, no filling of fresh memory and no second stack for locals that outlive their
# frame (which is swept at every exception): most of the time went there. Three processes of four count which edges an input
# reaches and not how often, which is three times as fast and keeps a third of the inputs.
export ASAN_OPTIONS="malloc_context_size=1:quarantine_size_mb=1:thread_local_quarantine_size_kb=64:max_malloc_fill_size=0:\
detect_leaks=0:detect_stack_use_after_return=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
weight() { echo $(($1 % 4 == 3 ? 1 : 3)); }
weights=0
for ((job = 0; job < jobs; ++job)); do weights=$((weights + $(weight "$job"))); done
start=$(date +%s.%N)
pids=() before=0
for ((job = 0; job < jobs; ++job)); do
  upto=$((before + $(weight "$job")))
  share=$((runs * upto / weights - runs * before / weights))
  before=$upto
  ((share > 0)) || continue
  mkdir -p "$work/$job/found"
  "$program" -runs="$share" -seed=$((job + 1)) -max_len=1024 -timeout=20 -rss_limit_mb=4096 -reload=0 -verbosity=1 \
    -use_counters=$((job % 4 == 3)) -print_final_stats=1 -artifact_prefix="$work/$job/" "$work/$job/found" "$seeds" \
    >"$work/$job/log" 2>&1 &
  pids+=($!)
done
trap 'kill "${pids[@]}" 2>/dev/null || true' INT TERM
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=$((failed + 1)); done
seconds=$(echo "$(date +%s.%N) $start" | awk '{printf "%.1f", $1 - $2}')
done_runs=$(awk '/stat::number_of_executed_units/ {sum += $2} END {printf "%d", sum}' "$work"/*/log)
rate=$(awk -v n="$done_runs" -v s="$seconds" 'BEGIN {printf "%.0f", n / s}')
echo "parser_bar: $done_runs executions in $seconds s ($rate/s) by ${#pids[@]} processes: $failed reports"
if ((failed > 0 || done_runs < runs)); then
  echo "parser_bar: logs and inputs are in $work" >&2
  exit 1
fi
rm -rf "$work"
