#!/usr/bin/env python3
"""The smallest error that is seen in each type: ops that are wrong by so many ulp, in the value or in the gradient alone.

  fuzz/smallest_error.py [--planted build/release/gradsmith_planted] [--cases 20000] [--jobs N] [--dtypes f64,f32,bf16,f16]

Each op by itself among `--beside` others; the programs are those of `run --seed 7`. Prints a Markdown table: how many
programs of so many accuse it, by ulp.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile


def planted_ops(planted):
    names = json.loads(subprocess.run([planted, "ops", "--json"], check=True, capture_output=True, text=True).stdout)
    found = [re.fullmatch(r"bad_sin_(value|gradient)_(\d+)_ulp", op["name"]) for op in names]
    return sorted((match[1], int(match[2]), match[0]) for match in found if match)


def accused(args, dtype, op):
    """In how many programs its numbers are found wrong."""
    with tempfile.TemporaryDirectory() as out:
        run = subprocess.run([args.planted, "run", "--dtype", dtype, "--cases", str(args.cases), "--seed", "7", "--jobs", str(args.jobs),
                              "--ops", f"{op},{args.beside}", "--out", out], capture_output=True, text=True)
        if run.returncode not in (0, 1):
            sys.exit(f"smallest_error: {run.stderr}")
        findings = json.loads((pathlib.Path(out) / "summary.json").read_text())["findings"]
        return sum(f["count"] for f in findings if re.match(rf"wrong-(value|gradient)\.(.*\+)?{op}[.+]", f["signature"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planted", default="build/release/gradsmith_planted")
    parser.add_argument("--cases", type=int, default=20000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--dtypes", default="f64,f32,bf16,f16")
    parser.add_argument("--beside", default="mul,exp,transpose,sum,tanh")
    args = parser.parse_args()
    ops = planted_ops(args.planted)
    sizes = sorted({size for _, size, _ in ops})
    print(f"| type | wrong | {' | '.join(f'{size} ulp' for size in sizes)} |")
    print(f"| --- | --- | {' | '.join('---:' for _ in sizes)} |")
    for dtype in args.dtypes.split(","):
        for part in ("value", "gradient"):
            row = [accused(args, dtype, op) for p, _, op in ops if p == part]
            print(f"| {dtype} | {part} | {' | '.join(map(str, row))} |", flush=True)


main()
