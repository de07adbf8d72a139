#!/usr/bin/env bash
# Everything that only a machine with a GPU can answer, in one go: gpu_check.sh OUT [quick] [BUILD]
#
# BUILD holds gradsmith (build/release). The LibTorch with CUDA is that of LIBTORCH_LIB, else of python3's torch. Each
# part has a time limit of its own, and a part that fails does not stop the others. OUT gets a log for each part, the
# runs' folders, and in the end gpu.json and gpu.md: machine, versions, counts, spreads, and whether each part went as
# it must. `quick` takes two minutes. Planted faults need nvcc, the memory check compute-sanitizer; without them these
# parts are skipped.
set -u
out=${1:?usage: gpu_check.sh OUT [quick] [BUILD]}
quick=0
[[ ${2:-} == quick ]] && { quick=1; shift; }
build=${2:-build/release}
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
mkdir -p "$out" && out=$(cd "$out" && pwd)
python=${GRADSMITH_PYTHON:-python3}
torch=$($python -c 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])' 2>/dev/null)
export LD_LIBRARY_PATH=${LIBTORCH_LIB:-$torch/lib}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
gradsmith=$build/gradsmith
: > "$out/parts.tsv"

note() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >> "$out/parts.tsv"; }

# part NAME SECONDS WANTED-EXIT-CODES COMMAND...: one part, its log, one line.
part() {
  local name=$1 limit=$2 wanted=$3 start=$EPOCHREALTIME code verdict
  shift 3
  timeout -k 5 "$limit" "$@" > "$out/$name.log" 2>&1
  code=$?
  verdict=FAILED
  [[ " $wanted " == *" $code "* ]] && verdict=ok
  [[ $code == 124 || $code == 137 ]] && verdict="cut off after $limit s"
  local took
  took=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $start }")
  printf '%-28s %-10s exit %-3s %6s s  %s\n' "$name" "$verdict" "$code" "$took" "$(tail -n 1 "$out/$name.log" | cut -c1-110)"
  note "$name" "$verdict" "$code" "$took"
  return 0
}
skip() {
  printf '%-28s skipped    %s\n' "$1" "$2"
  note "$1" "skipped: $2" - 0
}
run() { local folder=$1; shift; "$gradsmith" run --out "$out/$folder" --corpus "$root/corpus" "$@"; }
export -f run
export gradsmith out root

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader > "$out/gpu.txt" 2>/dev/null
cat "$out/gpu.txt"

part doctor 60 0 "$gradsmith" doctor
grep -E '^(LibTorch|GPU|device)' "$out/doctor.log"
((quick)) && {
  part run-cuda 60 0 bash -c 'run run-cuda --device cuda --seed 11 --cases 3000 --jobs 4'
  grep -E 'programs in|device  |NEW' "$out/run-cuda.log"
}
part replay 60 0 "$gradsmith" replay --device cuda "$root"/corpus/{seeds,known,regressions}
grep -v 'as expected' "$out/replay.log" | head -5

# What the witness costs: seconds for so many programs more, so that starting does not count, and without the ops whose
# known defects would be looked into time and again.
few=1000 many=7000
ops=$("$gradsmith" ops --json | $python -c 'import json, sys
print(",".join(op["name"] for op in json.load(sys.stdin) if op["name"] not in ("hardsigmoid", "hardswish", "celu")))')
jobs_tried=(1 4)
((quick)) && jobs_tried=(1)
for jobs in "${jobs_tried[@]}"; do
  for device in cpu cuda; do
    for cases in $few $many; do
      name=time-$device-$jobs-$cases
      part "$name" 60 "0 1" bash -c "run $name --device $device --seed 12 --cases $cases --jobs $jobs --ops $ops"
    done
  done
done

# From here on nothing is timed, and two rows of parts share the GPU.
((quick)) || {
  for bar in "f64 100000" "f32 100000" "bf16 20000" "f16 20000" "mixed 20000"; do
    set -- $bar
    part "bar-$1" 150 0 bash -c "run bar-$1 --device cuda --dtype $1 --seed 15 --cases $2 --jobs 6"
    grep -E 'programs in|device  |NEW' "$out/bar-$1.log"
  done
  part lane-determinism 90 0 bash -c 'run lane-determinism --device cuda --lane determinism --seed 13 --cases 5000 --jobs 4'
  part lane-tf32 60 0 bash -c 'run lane-tf32 --device cuda --lane tf32 --seed 14 --cases 3000 --jobs 4'
} &
bars=$!

# Faults planted on CUDA alone: a library that nvcc and the host's compiler make from properties/cuda.
faults=$build/libgradsmith_cuda_faults.so
if [[ -f $faults ]] || { command -v nvcc > /dev/null && [[ -d $torch/include ]]; }; then
  [[ -f $faults ]] || faults=$out/libgradsmith_cuda_faults.so
  [[ -f $faults ]] || part build-faults 90 0 nvcc -arch=native -O2 -std=c++17 -shared -Xcompiler -fPIC -I "$torch/include" \
    -I "$here/cuda" -o "$faults" \
    "$here"/cuda/{faults.cu,register_faults.cpp} -L "${LD_LIBRARY_PATH%%:*}" -lc10 -ltorch_cpu
  plant() {  # plant OP CASES CODES PATTERN: what the run must print
    local op=$1 cases=$2 codes=$3 pattern=$4
    part "fault-$op" 100 "$codes" bash -c "run fault-$op --device cuda --load '$faults' --seed 7 --cases $cases --jobs 2 \
      --ops $op,mul,exp,transpose"
    if grep -qE "$pattern" "$out/fault-$op.log"; then note "found-$op" ok 0 0; else note "found-$op" FAILED 1 0; fi
    grep -E 'NEW|findings:' "$out/fault-$op.log" | head -4
  }
  if [[ -f $faults ]]; then
    plant tanh 150 1 'device-mismatch\.tanh_?\.'
    plant mish 150 1 'device-mismatch\.mish_?\.small'
    plant cosh 60 1 '(device-mismatch|nondeterminism)\.cosh_?\.'
    plant sinh 150 1 '(device-mismatch|nondeterminism)\.sinh_?\.'
    ((quick)) || {
      plant leaky_relu 3000 1 'device-mismatch\.leaky_relu'
      plant sigmoid 300 1 'device-mismatch\.sigmoid_?\.'
      plant silu 150 0 'findings: 0 new'  # right numbers: only the memory check sees it
      plant hardswish 6 1 'crash\..*illegal-address\.f64\.cuda'
    }
  fi
else
  skip faults "no nvcc, or no headers of LibTorch"
fi
# Without the cache every tensor is a block of its own, and padding keeps what lies behind it from belonging to the next.
sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2>/dev/null | head -1)
if ((quick)) || [[ -z $sanitizer ]]; then
  skip sanitizer "$( ((quick)) && echo quick || echo no compute-sanitizer)"
else
  check() { "$sanitizer" --target-processes all --padding 512 --error-exitcode 9 "$gradsmith" replay --device cuda "$@"; }
  export -f check
  export sanitizer faults PYTORCH_NO_CUDA_MEMORY_CACHING=1
  part sanitizer-corpus 240 0 bash -c 'check "$root"/corpus/seeds'
  printf 'gradsmith 1\na = input f64[64] requires_grad\nv1 = silu(a)\n' > "$out/silu.chain"
  [[ -f ${faults:-} ]] && part sanitizer-past-end 90 9 bash -c 'check --load "$faults" "$out/silu.chain"'
fi
wait $bars
$python "$here/gpu_report.py" "$out"
