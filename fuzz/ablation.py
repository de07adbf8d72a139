#!/usr/bin/env python3
"""What coverage feedback is worth: runs the ablation fuzzers under each arm and prints a table.

Each arm gets the same processor time (on an idle machine: wall time), engine and judge. `coverage`: typed mutations
guided by semantic coverage. `unguided`: the same mutations of the seeds alone; nothing is kept. `random`: chains of the
generator. `bytes`: the engine's own mutations of bytes, which the byte decoder reads, guided by edges of the harness.
The depth of a fault is how many steps its smallest chain has on the same memory. `cmake --build build/fuzz --target ablation` makes
the programs; the script itself needs no compiler, so they can be carried to another machine.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ARMS = ["coverage", "unguided", "random", "bytes"]
# As harness/worker_post.cpp sets the engine for the workers of a campaign.
TYPED = ["-mutate_depth=1", "-entropic=0"]
FLAGS = {"coverage": TYPED, "unguided": TYPED, "random": TYPED, "bytes": []}


def run(programs, arm, seed, seconds, corpus):
    """One run; its account as the program writes it. Units go to memory where there is some to be had as a folder: on a
    disk, the kernel's part in their names is a seventh of the time."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    binary = programs / ("ablation_edges_fuzzer" if arm == "bytes" else "ablation_fuzzer")
    with tempfile.TemporaryDirectory(prefix="ablation-", dir=memory) as folder:
        account = pathlib.Path(folder, "account.json")
        found = pathlib.Path(folder, "corpus")
        found.mkdir()
        command = [str(binary), f"-seed={seed}", "-max_len=4096", "-rss_limit_mb=0",
                   "-verbosity=0", "-print_funcs=0", "-reload=0", f"-artifact_prefix={folder}/", *FLAGS[arm],
                   str(found)]
        if arm in ("coverage", "unguided"):
            command.append(str(corpus))
        environment = dict(os.environ, GRADSMITH_ARM=arm, GRADSMITH_ABLATION=str(account), GRADSMITH_SECONDS=str(seconds))
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0 or not account.exists():
            sys.exit(f"{binary} ({arm}, seed {seed}) ended with {done.returncode}:\n{done.stdout[-2000:]}")
        result = json.loads(account.read_text())
        result["units"] = sum(1 for _ in found.iterdir())
        return result


def spread(numbers):
    """Median, and the extremes where there are several."""
    middle = statistics.median(numbers)
    return f"{middle:,.0f}" if len(numbers) == 1 else f"{middle:,.0f} ({min(numbers):,.0f}-{max(numbers):,.0f})"


def table(results, seeds):
    """The Markdown tables of all runs: per arm, then per fault."""
    lines = ["| arm | programs | relations | histories | corpus | deep faults |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for arm in results:
        rows = results[arm]
        cells = [spread([row[key] for row in rows]) for key in ("programs", "relations", "histories", "units")]
        cells.append(spread([len(row["found"]) for row in rows]))
        lines.append("| " + " | ".join([arm] + cells) + " |")
    depths = results[next(iter(results))][0]["depths"]
    found = lambda arm, at: [sum(depths[fault] == at for fault in row["found"]) for row in results[arm]]
    lines += ["", "Faults found, by depth:", "", "| depth | faults | " + " | ".join(results) + " |",
              "| ---: | ---: |" + " ---: |" * len(results)]
    for at in sorted(set(depths.values())):
        total = sum(depth == at for depth in depths.values())
        lines.append(f"| {at} | {total} | " + " | ".join(spread(found(arm, at)) for arm in results) + " |")
    lines += ["", "Runs of " + str(len(seeds)) + " that found it, and the median processor seconds it took them:", "",
              "| fault | depth | " + " | ".join(results) + " |", "| --- | ---: |" + " ---: |" * len(results)]
    for fault in depths:
        cells = []
        for arm in results:
            times = [row["found"][fault] for row in results[arm] if fault in row["found"]]
            cells.append(f"{len(times)} ({statistics.median(times):.0f} s)" if times else "0")
        lines.append(f"| `{fault}` | {depths[fault]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, default=root / "build/fuzz", help="folder of the ablation fuzzers")
    parser.add_argument("--corpus", type=pathlib.Path, default=root / "corpus/seeds", help="where the coverage arm starts")
    parser.add_argument("--minutes", type=float, default=1, help="processor time of each run (1)")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each arm (3)")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS, help="which (all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time (one per core)")
    options = parser.parse_args()
    for name in ("ablation_fuzzer", "ablation_edges_fuzzer"):
        if not (options.programs / name).exists():
            sys.exit(f"{options.programs / name}: no such file; cmake --build build/fuzz --target ablation makes it")
    seeds = range(1, options.seeds + 1)
    # Seeds outside, arms inside: what else the machine does meets all arms alike.
    todo = [(arm, seed) for seed in seeds for arm in options.arms]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        seconds = max(1, round(options.minutes * 60))
        runs = list(pool.map(lambda item: run(options.programs, *item, seconds, options.corpus), todo))
    results = {arm: [r for (a, _), r in zip(todo, runs) if a == arm] for arm in options.arms}
    print(table(results, seeds))


if __name__ == "__main__":
    main()
