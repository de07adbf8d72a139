#!/usr/bin/env bash
# usage: campaign.sh GRADSMITH SECONDS DIR
# Checks LibTorch for some seconds and says where the report is. Exit code: that of `gradsmith run` (1: new findings).
set -euo pipefail
gradsmith=$1 seconds=$2 out=$3

status=0
"$gradsmith" run --time "$seconds" --out "$out" || status=$?
if [[ $status -gt 1 ]]; then
  exit "$status"
fi
echo
echo "campaign: report: $out"
for name in report.html report.md summary.json findings; do
  [[ -e $out/$name ]] && echo "  $out/$name"
done
[[ $status -eq 0 ]] || echo "campaign: there are new findings; each is explained in $out/findings/*/finding.md"
exit "$status"
