#!/usr/bin/env python3
"""Asks releases of PyTorch which known issues they show, and fills in `# since:`.

  corpus/since.py GRADSMITH PYTHON... [--chains FILE...] [--write]

Each PYTHON is an interpreter with a PyTorch of its own, one for each release; one is made by, for example,

  python3 -m venv OLD && OLD/bin/pip install torch==2.0.1 "numpy<2"

Of each chain (all of corpus/known, unless told) it runs the program that `gradsmith repro` writes, and prints a
table. x: the release shows the issue, saying the same as the newest that does (before its `# fixed:`, if it has one).
-: it is right. ?: it does something else, which stands below the table; mostly it lacks an op or a kernel. An issue
is there since the oldest release from which on all that were asked show it, up to the newest that does.

--write puts that into headers that have no `# since:` or a later one. Chains that no program shows (`# lane:`,
`# device:`) are left out. Exit codes: 0 asked, 2 bad usage or input, 3 an interpreter cannot answer.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "properties"))
from python_repros import ending, release  # noqa: E402


class Trouble(Exception):
    """One line for the user, and the exit code."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def answer(folder):
    """Runs in an interpreter that is asked: how each program of the folder ends and what it says, a line of JSON."""
    import torch

    torch.set_num_threads(1)
    print(json.dumps({"release": torch.__version__.split("+")[0],
                      "endings": {program.stem: ending(program) for program in sorted(folder.glob("*.py"))}}))


def ask(python, folder):
    try:
        done = subprocess.run([python, __file__, "--answer", folder], capture_output=True, text=True)
    except OSError as error:
        raise Trouble(3, f"{python}: {error.strerror}: expected an interpreter with PyTorch")
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise Trouble(3, f"{python}: ended with {done.returncode}: {last}: expected an interpreter with PyTorch")
    return json.loads(done.stdout.splitlines()[-1])


def header(lines, key):
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(f"# {key}:")), None)


def write_programs(gradsmith, chains, folder):
    """The chains that a program shows, by the name of the program."""
    asked = {}
    for chain in chains:
        try:
            lines = chain.read_text().splitlines()
        except OSError as error:
            raise Trouble(2, f"{chain}: {error.strerror}: expected a chain")
        if not (header(lines, "expect") or "").startswith("finding "):
            raise Trouble(2, f"{chain}: expected a chain whose header expects a finding")
        if header(lines, "lane") or header(lines, "device"):
            print(f"left out: {chain}: no program shows what needs a lane or a device")
            continue
        try:
            done = subprocess.run([gradsmith, "repro", chain, "--lang", "python", "-o", folder / f"{chain.stem}.py"],
                                  capture_output=True, text=True)
        except OSError as error:
            raise Trouble(2, f"{gradsmith}: {error.strerror}: expected the program gradsmith")
        if done.returncode != 0:
            raise Trouble(2, f"{gradsmith} repro {chain}: {done.stderr.strip()}")
        asked[chain.stem] = chain
    return asked


def verdicts(endings, open_in):
    """x, - or ? for each ending, oldest release first; `open_in`: in how many of these releases it is not mended."""
    shown = next((said for code, said in reversed(endings[:open_in]) if code == 1), None)
    return ["-" if code == 0 else "x" if i < open_in and (code, said) == (1, shown) else "?"
            for i, (code, said) in enumerate(endings)]


def first_shown(marks):
    """Where the unbroken row of x begins that ends with the newest x, or nothing."""
    if "x" not in marks:
        return None
    at = len(marks) - 1 - marks[::-1].index("x")
    while at > 0 and marks[at - 1] == "x":
        at -= 1
    return at


def write_since(chain, since):
    """Whether the header had none, or a later one."""
    lines = chain.read_text().splitlines(keepends=True)
    old = header(lines, "since")
    if old and release(old) <= release(since):
        return False
    lines = [line for line in lines if not line.startswith("# since:")]
    end = next(i for i, line in enumerate(lines) if i > 0 and not line.startswith("#"))
    lines.insert(end, f"# since: {since}\n")
    chain.write_text("".join(lines))
    return True


def main(words):
    if len(words) == 2 and words[0] == "--answer":
        return answer(pathlib.Path(words[1]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gradsmith")
    parser.add_argument("pythons", nargs="+", metavar="python")
    parser.add_argument("--chains", nargs="+", type=pathlib.Path, default=sorted((HERE / "known").glob("*.chain")))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as scratch:
        chains = write_programs(options.gradsmith, options.chains, pathlib.Path(scratch))
        answers = sorted((ask(python, scratch) for python in options.pythons), key=lambda a: release(a["release"]))
    releases = [a["release"] for a in answers]
    print(" " * 34 + "".join(f"{r:>8}" for r in releases) + "  since")
    others = []
    for name, chain in chains.items():
        endings = [tuple(a["endings"][name]) for a in answers]
        fixed = header(chain.read_text().splitlines(), "fixed")
        marks = verdicts(endings, sum(not fixed or release(r) < release(fixed) for r in releases))
        at = first_shown(marks)
        since = "none shows it" if at is None else ".".join(releases[at].split(".")[:2])
        done = options.write and at is not None and write_since(chain, since)
        print(f"{name:34}" + "".join(f"{mark:>8}" for mark in marks) + f"  {since}" + (", written" if done else ""))
        others += [f"{name}, {r}: {said.splitlines()[0] if said.strip() else f'ended with {code}'}"
                   for r, mark, (code, said) in zip(releases, marks, endings) if mark == "?"]
    print("".join(f"\n{line}" for line in others))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Trouble as trouble:
        print(f"since.py: {trouble}", file=sys.stderr)
        sys.exit(trouble.code)
