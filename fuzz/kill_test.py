#!/usr/bin/env python3
"""Kills a campaign's workers, its supervisor, or both, at random moments, and checks after each kill that no finding
and no unit of the corpus is gone, that the input which was being judged is known, that nothing of a killed supervisor
lives on, and that the campaign goes on.

usage: kill_test.py [--kills 50] [--seed 1] [--workers 2] [--min 1] [--max 6] [--dir DIR] GRADSMITH [ARGUMENTS of campaign...]
Exit code 0: nothing was lost; 77: no such GRADSMITH. One line for each kill.
"""
import argparse
import hashlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time


def children(pid):
    try:
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def workers_of(pid):
    """The children that are workers: not merges, not reductions."""
    found = []
    for child in children(pid):
        try:
            if b"-exact_artifact_path=" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(child)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def family_of(pid):
    """All that descend from it, each with the time it was started."""
    found = {}
    for child in children(pid):
        found[child] = started(child)
        found.update(family_of(child))
    return found


def started(pid):
    """When a process was started, in ticks; None if it has ended."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return None if fields[0] in "ZX" else fields[19]
    except (FileNotFoundError, ProcessLookupError):
        return None


def units(folder):
    """Content by name. The engine writes a unit in place: one that a kill cut short was not in the corpus yet."""
    found = {}
    for corpus in [folder / "corpus", *folder.glob("workers/*/corpus")]:
        for unit in corpus.glob("*") if corpus.is_dir() else []:
            try:
                found[unit.name] = unit.read_bytes()
            except FileNotFoundError:
                pass
    return found


def whole(name, text):
    """Units have their hash for a name; one that was being written when it was read has not."""
    return hashlib.sha1(text).hexdigest() == name


def findings(folder):
    reports = {p.name for p in folder.glob("workers/*/found/*") if not p.name.endswith(".tmp")}
    stored = {p.name for p in (folder / "findings").glob("*") if (p / "case.chain").is_file()}
    return reports, stored


def merged_away(folder):
    """What the latest merge had gathered: all that it may have removed as needless."""
    return {p.name for p in (folder / "merge" / "in").glob("*")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--min", type=float, default=1, help="seconds before a kill")
    parser.add_argument("--max", type=float, default=6)
    parser.add_argument("--dir", help="the campaign's folder (a temporary one)")
    parser.add_argument("gradsmith")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not pathlib.Path(options.gradsmith).is_file():
        print(f"{options.gradsmith}: no such program; build the preset release")
        return 77
    rng = random.Random(options.seed)
    top = pathlib.Path(options.dir or tempfile.mkdtemp(prefix="gradsmith-kill-"))
    folder = top / "campaign" if not options.dir else top
    command = [options.gradsmith, "campaign", str(folder), "--workers", str(options.workers), *options.arguments]
    lost = in_flight = 0
    supervisor = None
    log = open(top.parent / (top.name + ".log"), "ab")
    for kill in range(options.kills):
        if supervisor is None:
            supervisor = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            begun = time.time()
            while len(workers_of(supervisor.pid)) < options.workers and supervisor.poll() is None and time.time() - begun < 300:
                time.sleep(0.05)
        time.sleep(rng.uniform(options.min, options.max))
        if supervisor.poll() is not None:
            print(f"kill {kill + 1}: the campaign had ended by itself with {supervisor.returncode}; see {log.name}")
            return 1
        before, (reports, stored) = units(folder), findings(folder)
        what = rng.choice(["a worker", "all workers", "the supervisor", "everything"])
        victims = workers_of(supervisor.pid)
        if what == "a worker" and victims:
            victims = [rng.choice(victims)]
        if what == "the supervisor":
            victims = []
        if what in ("the supervisor", "everything"):
            victims = [supervisor.pid, *victims] if rng.random() < 0.5 else [*victims, supervisor.pid]
        family = family_of(supervisor.pid)
        for victim in victims:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass
        slots = []
        if supervisor.pid in victims:
            supervisor.wait()
            supervisor = None
            orphans = family
            for _ in range(100):  # all die with their supervisor
                time.sleep(0.05)
                orphans = {pid: when for pid, when in family.items() if when and started(pid) == when}
                if not orphans:
                    break
            lost += len(orphans)
            if orphans:
                print(f"kill {kill + 1}: STILL ALIVE: {' '.join(map(str, orphans))}")
            for slot in folder.glob("workers/*/slot.chain"):
                text = slot.read_bytes().rstrip(b"\n")
                slots.append(text.split(b"\n")[1].split()[-1].decode() if text.startswith(b"gradsmith 1\n# input ") else "none")
            in_flight += len(slots)
        after, (reports_after, stored_after) = units(folder), findings(folder)
        needless = merged_away(folder)
        gone = [name for name, text in before.items() if whole(name, text) and after.get(name) != text and name not in needless]
        gone += sorted(reports - reports_after) + sorted(stored - stored_after)
        lost += len(gone)
        print(f"kill {kill + 1}: {what:<15} {len(before):>6} units, {len(reports):>3} reports, {len(stored):>3} findings"
              f"{', in flight: ' + ' '.join(slots) if slots else ''}{', LOST ' + ' '.join(gone[:5]) if gone else ''}", flush=True)
    if supervisor is not None:
        supervisor.send_signal(signal.SIGTERM)
        begun = time.time()
        supervisor.wait()
        print(f"SIGTERM: ended with {supervisor.returncode} after {time.time() - begun:.1f} s")
        lost += supervisor.returncode not in (0, 1)
    final = subprocess.run([*command, "--time", "1"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    lost += final.returncode not in (0, 1)
    print(f"{options.kills} kills: {lost} lost; slots read {in_flight}; {len(units(folder))} units, {len(findings(folder)[1])} findings; "
          f"a last run ended with {final.returncode}")
    if not options.dir:
        shutil.rmtree(top)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
