#!/usr/bin/env bash
# Replays stored chains under valgrind's memcheck, which sees uninitialised reads and bad accesses inside LibTorch's
# prebuilt kernels.
#
#   cmake/memcheck.sh [PROGRAM [PATH...]]      build/release/gradsmith and corpus/ if not given
#
# LibTorch's vector kernels are switched off (valgrind 3.19 does not know AVX-512). Start-up noise alone is suppressed
# (cmake/memcheck.supp). Exit code 0: no report, 1: a report or a chain that differs from its expectation, 3: something
# is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=${1:-build/release/gradsmith}
shift || true
# A lane has an allocator of its own or counts what malloc has in use, and valgrind replaces malloc.
mapfile -t chains < <(grep -rL --include='*.chain' '^# lane:' "${@:-corpus}")
command -v valgrind >/dev/null || { echo "memcheck: no valgrind; install the package valgrind" >&2; exit 3; }
[[ -x $program ]] || { echo "memcheck: no program $program; build it with: make build" >&2; exit 3; }
logs=$(mktemp -d "${TMPDIR:-/tmp}/memcheck.XXXXXX")
start=$SECONDS
code=0
# The chains are judged in child processes; each writes a log of its own.
ATEN_CPU_CAPABILITY=default OMP_NUM_THREADS=1 MKL_ENABLE_INSTRUCTIONS=SSE4_2 MKL_CBWR=COMPATIBLE \
  valgrind --tool=memcheck --leak-check=no --num-callers=40 \
  --suppressions=cmake/memcheck.supp --log-file="$logs/%p.log" \
  "$program" replay "${chains[@]}" || code=$?
reports=$(cat "$logs"/*.log | grep -c -E '== (Invalid|Conditional jump|Use of uninit|Syscall param|Source and dest|Mismatched|Jump to)' || true)
echo "memcheck: $reports reports in $((SECONDS - start)) s"
if ((reports > 0 || code != 0)); then
  echo "memcheck: logs are in $logs" >&2
  exit 1
fi
rm -rf "$logs"
