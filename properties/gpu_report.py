#!/usr/bin/env python3
"""The folder that gpu_check.sh leaves, as gpu.json and gpu.md: machine, versions, counts of the device witness, what it costs."""

import json
import pathlib
import sys


def summary(folder):
    try:
        return json.loads((folder / "summary.json").read_text())
    except (OSError, ValueError):
        return None


def seconds_per_program(out, device, jobs):
    """From the difference of two runs, so that starting does not count."""
    runs = sorted((s for s in map(summary, out.glob(f"time-{device}-{jobs}-*")) if s and s["finished"]), key=lambda s: s["programs"])
    if len(runs) != 2 or runs[0]["programs"] == runs[1]["programs"]:
        return None
    return (runs[1]["seconds"] - runs[0]["seconds"]) / (runs[1]["programs"] - runs[0]["programs"])


def main():
    out = pathlib.Path(sys.argv[1])
    parts = [line.split("\t") for line in (out / "parts.tsv").read_text().splitlines()]
    runs = {f.name: s for f in sorted(out.iterdir()) if f.is_dir() and (s := summary(f))}
    costs = {}
    for jobs in (1, 4):
        cpu, cuda = (seconds_per_program(out, device, jobs) for device in ("cpu", "cuda"))
        if cpu and cuda:
            costs[jobs] = {"cpu_us": 1e6 * cpu, "with_device_us": 1e6 * cuda, "ratio": cuda / cpu}
    report = {
        "gpu": (out / "gpu.txt").read_text().strip(),
        "parts": [dict(zip(("part", "verdict", "exit", "seconds"), part)) for part in parts],
        "cost_per_program": costs,
        "runs": {
            name: {key: s[key] for key in ("libtorch", "device", "dtype", "lanes", "seed", "programs", "seconds", "accepted",
                                           "refused", "agreed_raise", "inconclusive_total")}
            | {"witness": s["witness"], "findings": [f["signature"] for f in s["findings"] if not f["known"]]}
            for name, s in runs.items()
        },
    }
    lines = [f"# On a GPU: {report['gpu']}", "", "| part | verdict | exit | seconds |", "| --- | --- | ---: | ---: |"]
    lines += [f"| {' | '.join(part)} |" for part in parts]
    lines += ["", "| run | programs | accepted | refused | device agrees | disagrees | inconclusive | new findings |",
              "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |"]
    for name, run in report["runs"].items():
        device = run["witness"].get("device", {"agree": 0, "disagree": 0, "inconclusive": {}})
        lines.append(f"| {name} | {run['programs']} | {run['accepted']} | {run['refused']} | {device['agree']} | "
                     f"{device['disagree']} | {sum(device['inconclusive'].values())} | {', '.join(run['findings'])} |")
    notes = {}
    for run in report["runs"].values():
        for note, count in run["witness"].get("device", {}).get("notes", {}).items():
            notes[note] = notes.get(note, 0) + count
    report["notes"] = notes
    (out / "gpu.json").write_text(json.dumps(report, indent=1) + "\n")
    lines += [""] + [f"- {note}: {count} times" for note, count in sorted(notes.items(), key=lambda n: -n[1])[:20]]
    lines += [""] + [f"- {jobs} process{'es' if jobs > 1 else ''}: {c['cpu_us']:.0f} us a program, {c['with_device_us']:.0f} us with the "
                     f"device, {c['ratio']:.2f} times" for jobs, c in costs.items()]
    (out / "gpu.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines[-2:] if costs else []))
    bad = [part[0] for part in parts if part[1] != "ok" and not part[1].startswith("skipped")]
    print(f"{len(parts)} parts, not as they must be: {', '.join(bad) if bad else 'none'}; {out / 'gpu.md'}")


main()
