#!/usr/bin/env python3
"""Fetches the CPU part of one LibTorch release from its Python wheels into the cache, once, and prints its folder.

usage: fetch_libtorch.py [VERSION]

The folder is ${XDG_CACHE_HOME:-~/.cache}/gradsmith/libtorch-VERSION-cpu with torch/{include,lib} and, beside it, the two
libraries of nvidia/ that libtorch_cpu.so needs at load. It appears whole or not at all. The Python tag of the wheel does
not matter, as only libraries and headers are used, so one is fixed and there is one checksum per file.

Wheels come through pip. A broken connection is resumed where it broke; after a kill, wheels that are complete are kept
and the one under way starts again. Standard output: the folder. Exit codes: 2 bad usage, 3 the environment lacks something.
"""

import argparse
import contextlib
import fcntl
import fnmatch
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

WHEEL_OPTIONS = [
    "--only-binary=:all:", "--python-version", "3.12", "--implementation", "cp", "--abi", "cp312", "--abi", "none",
    *(word for tag in ("manylinux_2_28", "manylinux_2_27", "manylinux_2_25", "manylinux_2_17", "manylinux2014")
      for word in ("--platform", tag + "_x86_64")),
]
WANTED = [
    "torch/include/*", "torch/version.py", "torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libgomp*",
    "nvidia/*/lib/libcudart.so.*", "nvidia/*/lib/libcupti.so.*", "*.dist-info/licenses/*", "*.dist-info/METADATA",
]
# Wheels of ~550 MB and ~500 MB unpacked.
SPACE_NEEDED = 1_300_000_000


class Missing(Exception):
    """The environment lacks something; the message says what, and what to do."""


def say(text):
    print("setup: " + text, file=sys.stderr, flush=True)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class Pip:
    """The pip client, one that resumes downloads: the installed one from 25.1 on, else a private copy in the cache."""

    def __init__(self, cache, pinned):
        self.command = [sys.executable, "-m", "pip"]
        self.environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_ROOT_USER_ACTION="ignore")
        found = self.run(["--version"], "pip is missing: install python3-pip", capture=True)
        version = re.match(r"pip (\d+)\.(\d+)", found)
        if version and tuple(map(int, version.groups())) >= (25, 1):
            return
        name, number = pinned["requirement"].split("==")
        home = cache / f"{name}-{number}"
        if not home.exists():
            say(f"fetching {pinned['requirement']} (the installed one cannot resume a download)")
            with tempfile.TemporaryDirectory(dir=cache, prefix=".pip-") as scratch:
                wanted = Path(scratch, "requirements.txt")
                wanted.write_text(f"{pinned['requirement']} --hash=sha256:{pinned['sha256']}\n")
                target = Path(scratch, "pip")
                self.run(["install", "--quiet", "--no-deps", "--no-cache-dir", "--require-hashes", "--only-binary=:all:",
                          "--target", target, "-r", wanted], f"could not fetch {pinned['requirement']}")
                target.rename(home)
        self.environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(home), os.environ.get("PYTHONPATH")]))

    def run(self, arguments, complaint, capture=False):
        result = subprocess.run([*self.command, *map(str, arguments)], env=self.environment, text=True,
                                stdout=subprocess.PIPE if capture else sys.stderr)
        if result.returncode != 0:
            raise Missing(f"{complaint} (pip's message stands above)")
        return result.stdout

    def download(self, requirement, folder):
        self.run(["download", "--no-deps", "--no-cache-dir", "--resume-retries", "20", "--progress-bar",
                  "on" if sys.stderr.isatty() else "off", "--quiet" if not sys.stderr.isatty() else "--no-color",
                  *WHEEL_OPTIONS, "--dest", folder, requirement],
                 f"could not download {requirement}: is the network up? Running again goes on with what is there")

    def resolve(self, requirement, dependencies=False):
        """What pip would install for `requirement`: its report's entries (name, version, checksum, requirements)."""
        with tempfile.TemporaryDirectory() as scratch:
            report = Path(scratch, "report.json")
            self.run(["install", "--dry-run", "--quiet", "--ignore-installed", "--target", Path(scratch, "none"),
                      *([] if dependencies else ["--no-deps"]), *WHEEL_OPTIONS, "--report", report, requirement],
                     f"could not resolve {requirement}: does this release exist?")
            return json.loads(report.read_text())["install"]


def pin(entry):
    meta = entry["metadata"]
    return {"requirement": f"{meta['name']}=={meta['version']}",
            "sha256": entry["download_info"]["archive_info"]["hashes"]["sha256"]}


def resolve_wheels(pip, version):
    """The wheels of a release that is not pinned, with the checksums that pip reports."""
    say(f"LibTorch {version} has no pinned checksums; taking those that pip reports")
    (torch,) = pip.resolve(f"torch=={version}")
    wheels = [pin(torch)]
    for line in torch["metadata"].get("requires_dist", []):
        requirement = line.split(";")[0].strip()
        if toolkit := re.fullmatch(r"cuda-toolkit\[[^]]*\](.*)", requirement):
            entries = pip.resolve(f"cuda-toolkit[cudart,cupti]{toolkit[1]}", dependencies=True)
            wheels += [pin(e) for e in entries if e["metadata"]["name"] != "cuda-toolkit"]
        elif re.match(r"nvidia-cuda-(runtime|cupti)\b", requirement):
            wheels += [pin(e) for e in pip.resolve(requirement)]
    return wheels


def fetch(pip, wheel, folder):
    """The path of one wheel in `folder`, downloaded unless it is there already, with the right checksum."""
    name, number = wheel["requirement"].split("==")
    pattern = f"{name.replace('-', '_')}-{number}*.whl"
    for path in folder.glob(pattern):
        if sha256(path) == wheel["sha256"]:
            say(f"{path.name}: here already")
            return path
        say(f"{path.name}: wrong checksum in the cache; fetching it again")
        path.unlink()
    say(f"downloading {wheel['requirement']}")
    # Under a name of its own until it is known to be good.
    with tempfile.TemporaryDirectory(dir=folder, prefix="part-") as scratch:
        pip.download(wheel["requirement"], scratch)
        (path,) = Path(scratch).glob("*.whl")
        found = sha256(path)
        if found != wheel["sha256"]:
            raise Missing(f"checksum mismatch: {path.name} has sha256 {found}, expected {wheel['sha256']}. The file was "
                          "removed. Run again; if it stays, the package source serves another file than the pinned one")
        return path.rename(folder / path.name)


def unpack(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in WANTED):
                archive.extract(name, folder)


def check_loads(folder):
    """libtorch_cpu.so with everything it needs can be loaded here."""
    library = folder / "torch" / "lib" / "libtorch_cpu.so"
    result = subprocess.run([sys.executable, "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", library],
                            capture_output=True, text=True)
    if result.returncode != 0:
        reason = result.stderr.strip().splitlines()[-1:] or [f"status {result.returncode}"]
        raise Missing(f"the LibTorch that was fetched cannot be loaded on this machine: {reason[0]}")


@contextlib.contextmanager
def locked(path):
    """Holds a lock that ends with the process, so that two builds do not fetch at once."""
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build is fetching LibTorch; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def provide(version, known, cache):
    root = cache / f"libtorch-{version}-cpu"
    stamp = root / "complete.json"
    if stamp.exists():
        return root
    if platform.machine() != "x86_64":
        raise Missing(f"no wheel is known for {platform.machine()}; give an installed LibTorch with -DLIBTORCH_ROOT=DIR")
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / f"libtorch-{version}.lock"):
        if stamp.exists():
            return root
        for leftover in cache.glob(f".libtorch-{version}-*"):
            shutil.rmtree(leftover)
        downloads = cache / f"wheels-{version}"
        for leftover in downloads.glob("part-*"):
            shutil.rmtree(leftover)
        have = sum(path.stat().st_size for path in downloads.glob("*.whl"))
        if shutil.disk_usage(cache).free + have < SPACE_NEEDED:
            raise Missing(f"{cache} needs {SPACE_NEEDED / 1e9:.1f} GB of free space")
        say(f"fetching LibTorch {version} into {root}")
        pip = Pip(cache, known["pip"])
        wheels = known["versions"].get(version) or resolve_wheels(pip, version)
        downloads.mkdir(exist_ok=True)
        paths = [fetch(pip, wheel, downloads) for wheel in wheels]
        say("unpacking")
        scratch = Path(tempfile.mkdtemp(dir=cache, prefix=f".libtorch-{version}-"))
        scratch.chmod(0o755)
        for path in paths:
            unpack(path, scratch)
        check_loads(scratch)
        (scratch / stamp.name).write_text(json.dumps({"version": version, "wheels": wheels}, indent=2) + "\n")
        if root.exists():
            shutil.rmtree(root)
        scratch.rename(root)
        shutil.rmtree(downloads)
        say(f"LibTorch {version} is complete")
        return root


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("version", nargs="?", default="", metavar="VERSION", help="default: the one the project is tested with")
    parser.add_argument("--pins", type=Path, default=HERE / "libtorch_versions.json", help="file of known checksums")
    options = parser.parse_args()
    known = json.loads(options.pins.read_text())
    version = options.version or known["default"]
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        parser.error(f"VERSION must look like {known['default']}, not {version!r}")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    try:
        print(provide(version, known, Path(home, "gradsmith")))
    except Missing as reason:
        say(str(reason))
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
