#!/usr/bin/env python3
"""Runs the Python programs that `gradsmith repro` writes, all in one interpreter, and compares how they end.

  python_repros.py run FOLDER                      runs FOLDER/*.py; FOLDER/expected.json says which must end with 1
  python_repros.py write GRADSMITH FOLDER CORPUS   writes the programs of all chains below CORPUS there first
  python_repros.py all GRADSMITH FOLDER CORPUS     both

`run` needs PyTorch and nothing else. Exit code 0: every program ended as expected. 1: some did not. 77: no PyTorch.
"""
import contextlib
import io
import json
import pathlib
import subprocess
import sys


def write(gradsmith, folder, corpus):
    """One program per chain; a chain that shows a defect must end with 1: stored as 1, or as the release that fixed it.
    Chains without a program are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for chain in sorted(corpus.rglob("*.chain")):
        name = "-".join(chain.relative_to(corpus).with_suffix("").parts)
        program = folder / f"{name}.py"
        done = subprocess.run([gradsmith, "repro", chain, "--lang", "python", "-o", program], capture_output=True, text=True)
        if done.returncode != 0:
            print("left out:", done.stderr.strip())
            continue
        lines = chain.read_text().splitlines()
        fixed = [line.split(":")[1].strip() for line in lines if line.startswith("# fixed:")]
        elsewhere = any(line.startswith(("# lane:", "# device:")) for line in lines)  # numbers and errors are right here
        defect = any(line.startswith("# expect: finding") for line in lines) and not elsewhere
        expected[name] = fixed[0] if defect and fixed else int(defect)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def ending(program):
    """Exit code and output of a program run here."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            exec(compile(program.read_text(), str(program), "exec"), {"__name__": "__main__"})
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
            if isinstance(end.code, str):
                print(end.code)
        except Exception as error:  # a program that is wrong: reported, the others go on
            code = 2
            print(f"{type(error).__name__}: {error}")
    return code, said.getvalue()


def release(text):
    return tuple(int(part) for part in text.split(".")[:2])


def run(folder):
    try:
        import torch
    except ImportError as error:
        print(f"no PyTorch: {error}")
        return 77
    torch.set_num_threads(1)
    expected = json.loads((folder / "expected.json").read_text())
    wrong = 0
    for name, code in expected.items():
        if isinstance(code, str):
            code = int(release(torch.__version__) < release(code))
        ended, said = ending(folder / f"{name}.py")
        if ended != code:
            wrong += 1
            print(f"{name}: ended with {ended}, expected {code}\n{said}")
    print(f"PyTorch {torch.__version__}: {len(expected)} programs, {wrong} ended otherwise than expected")
    return 1 if wrong else 0


def main(words):
    if len(words) == 2 and words[0] == "run":
        return run(pathlib.Path(words[1]))
    if len(words) == 4 and words[0] in ("write", "all"):
        write(words[1], pathlib.Path(words[2]), pathlib.Path(words[3]))
        return run(pathlib.Path(words[2])) if words[0] == "all" else 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
