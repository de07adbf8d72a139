#!/usr/bin/env python3
"""Runs a campaign over planted ops that crash and hang (properties/planted_deadly.cpp), and checks that each is found, laid
at its own door, shown again alone, reduced and stored so that it replays, while the workers go on.

usage: deadly_test.py [--limit S] GRADSMITH_DEADLY DEADLY_FUZZER
Exit code 0: all were found. One line for each fault.
"""
import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

FAULTS = {
    "crash.bad_sin_crashes.SIGSEGV.f64.cpu": "v1 = bad_sin_crashes(a)",
    "crash.bad_sin_crashes_in_backward.SIGSEGV.f64.cpu": "v1 = bad_sin_crashes_in_backward(a)",
    "hang.bad_sin_hangs..f64.cpu": "v1 = bad_sin_hangs(a)",
}


def text(file):
    return file.read_text() if file.is_file() else ""


def programs(folder):
    """Judged so far by all workers together."""
    try:
        return json.loads(text(folder / "status.json"))["now"]["programs"]
    except (ValueError, KeyError):
        return 0


def is_reduced(folder, signature):
    page = text(folder / "findings" / signature / "finding.md")
    return "reduced to" in page and "not yet reduced" not in page


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=float, default=240, help="seconds until all must be found")
    parser.add_argument("gradsmith")
    parser.add_argument("fuzzer")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gradsmith-deadly-") as top:
        folder, corpus = pathlib.Path(top) / "campaign", pathlib.Path(top) / "corpus"
        corpus.mkdir()
        (corpus / "known").symlink_to(pathlib.Path(__file__).resolve().parent.parent / "corpus" / "known")
        begun = time.time()
        log = open(pathlib.Path(top) / "log", "wb")
        supervisor = subprocess.Popen([options.gradsmith, "campaign", str(folder), "--workers", "2", "--lanes", "plain", "--seed", "1",
                                       "--patience", "4", "--corpus", str(corpus), "--worker", options.fuzzer],
                                      stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        found = {}
        while len(found) < len(FAULTS) and time.time() - begun < options.limit and supervisor.poll() is None:
            time.sleep(0.2)
            for signature in FAULTS.keys() - found.keys():
                if is_reduced(folder, signature):
                    found[signature] = time.time() - begun
        judged = programs(folder)
        while programs(folder) <= judged and time.time() - begun < options.limit and supervisor.poll() is None:
            time.sleep(0.2)
        goes_on = programs(folder) > judged
        supervisor.send_signal(signal.SIGTERM)
        code = supervisor.wait()
        bad = 0
        for signature, step in FAULTS.items():
            page, case = text(folder / "findings" / signature / "finding.md"), folder / "findings" / signature / "case.chain"
            wrong = [words for words, good in {
                "not reduced in time": signature in found,
                "not shown again alone": "shown again alone" in page and "not shown again alone" not in page,
                f"not reduced to `{step}`": text(case).rstrip().endswith(step) and text(case).count(" = ") == 2,
                "not shown each time": signature.startswith("hang") and "2 of 2 times" in page or "5 of 5 times" in page,
                "does not replay": signature.startswith("hang")  # that takes its time
                or subprocess.run([options.gradsmith, "replay", str(case)], capture_output=True).returncode == 0,
            }.items() if not good]
            print(f"{signature}: {'; '.join(wrong) or f'found and reduced after {found[signature]:.0f} s'}")
            bad += bool(wrong)
        others = sorted({p.name for p in (folder / "findings").glob("*")} - FAULTS.keys())
        print(f"{programs(folder):,} programs, {'going on' if goes_on else 'STANDING STILL'}; ended with {code}"
              f"{'; also found: ' + ' '.join(others) if others else ''}")
        if bad or not goes_on or code != 1:
            print(pathlib.Path(log.name).read_text(errors="replace")[-4000:])
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
