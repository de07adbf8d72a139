#!/usr/bin/env python3
"""Tests of fetch_libtorch.py with small wheels served from this machine; nothing is taken from the network."""

import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import zipfile
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def write_wheel(folder, name, version, tag, files):
    path = folder / f"{name}-{version}-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, data in files.items():
            wheel.writestr(file, data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {tag}\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


class Fetching(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.wheels = self.folder / "wheels"
        self.wheels.mkdir()
        library = self.folder / "library.so"
        subprocess.run(["g++", "-shared", "-x", "c++", os.devnull, "-o", library], check=True)
        wheel = write_wheel(self.wheels, "torch", "2.11.0", "cp312-cp312-manylinux_2_28_x86_64", {
            "torch/include/ATen/ATen.h": "header", "torch/version.py": "__version__ = '2.11.0'",
            "torch/lib/libtorch_cpu.so": library.read_bytes(), "torch/lib/libc10.so": library.read_bytes(),
            "torch/lib/libtorch_cuda.so": "not wanted", "torch/nn/modules.py": "not wanted",
            "torch/filler": os.urandom(3_000_000)})
        self.pins = {"default": "2.11.0", "pip": json.loads((HERE / "libtorch_versions.json").read_text())["pip"],
                     "versions": {"2.11.0": [{"requirement": "torch==2.11.0", "sha256": sha256(wheel.read_bytes())}]}}
        self.root = self.folder / "gradsmith" / "libtorch-2.11.0-cpu"

    def fetch(self, *arguments, **environment):
        pins = self.folder / "pins.json"
        pins.write_text(json.dumps(self.pins))
        return subprocess.run(
            [sys.executable, HERE / "fetch_libtorch.py", "--pins", pins, *arguments], text=True, capture_output=True,
            env={**os.environ, "XDG_CACHE_HOME": str(self.folder), "PIP_NO_INDEX": "1",
                 "PIP_FIND_LINKS": str(self.wheels), "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **environment})

    def with_resuming_pip(self):
        """Lends the test's cache the private pip of the real one, which the build has fetched; no network is used."""
        name = self.pins["pip"]["requirement"].replace("==", "-")
        real = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "gradsmith", name)
        (self.folder / "gradsmith").mkdir(exist_ok=True)
        if real.exists():
            (self.folder / "gradsmith" / name).symlink_to(real)
        elif tuple(map(int, metadata.version("pip").split(".")[:2])) < (25, 1):
            self.skipTest(f"{name} is not in the cache, and the installed pip cannot resume a download")

    def test_only_what_is_needed_is_unpacked_and_the_second_time_is_silent(self):
        self.with_resuming_pip()
        first = self.fetch()
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(first.stdout.strip(), str(self.root))
        found = {str(path.relative_to(self.root / "torch")) for path in self.root.glob("torch/**/*") if path.is_file()}
        self.assertEqual(found, {"include/ATen/ATen.h", "version.py", "lib/libtorch_cpu.so", "lib/libc10.so"})
        second = self.fetch()
        self.assertEqual((second.returncode, second.stdout, second.stderr), (0, first.stdout, ""))

    def test_a_wrong_checksum_is_refused_and_leaves_nothing(self):
        self.with_resuming_pip()
        self.pins["versions"]["2.11.0"][0]["sha256"] = "0" * 64
        result = self.fetch()
        self.assertEqual(result.returncode, 3)
        self.assertIn("checksum mismatch: torch-2.11.0", result.stderr)
        self.assertFalse(self.root.exists())
        self.assertEqual(list(self.folder.glob("gradsmith/**/torch*.whl")), [])

    def test_a_damaged_wheel_in_the_cache_is_fetched_again(self):
        self.with_resuming_pip()
        downloads = self.folder / "gradsmith" / "wheels-2.11.0"
        downloads.mkdir(parents=True)
        (downloads / "torch-2.11.0-cp312-cp312-manylinux_2_28_x86_64.whl").write_bytes(b"half")
        result = self.fetch()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("wrong checksum in the cache", result.stderr)

    def test_a_wheel_that_is_complete_is_not_fetched_again(self):
        self.with_resuming_pip()
        downloads = self.folder / "gradsmith" / "wheels-2.11.0"
        downloads.mkdir(parents=True)
        (wheel,) = self.wheels.iterdir()
        wheel.rename(downloads / wheel.name)
        result = self.fetch()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("here already", result.stderr)

    def test_a_download_whose_connection_breaks_is_resumed_where_it_broke(self):
        self.with_resuming_pip()
        (wheel,) = self.wheels.iterdir()
        data = wheel.read_bytes()
        ranges = []

        class Breaking(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if not self.path.endswith(".whl"):
                    page = f'<a href="{wheel.name}">{wheel.name}</a>'.encode()
                    self.send_response(200)
                    self.send_header("Content-Type", "text/html")
                    self.send_header("Content-Length", str(len(page)))
                    self.end_headers()
                    self.wfile.write(page)
                    return
                start = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
                ranges.append(start)
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(data) - start))
                self.send_header("ETag", '"one"')
                self.send_header("Accept-Ranges", "bytes")
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
                self.end_headers()
                self.wfile.write(data[start:start + 1_200_000])  # then the connection ends

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Breaking)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        result = self.fetch(PIP_FIND_LINKS=f"http://127.0.0.1:{server.server_port}/", NO_PROXY="127.0.0.1")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreaterEqual(len(ranges), 3)
        self.assertEqual(ranges[0], 0)
        self.assertTrue(all(start > 0 for start in ranges[1:]), ranges)

    def test_a_release_that_does_not_exist_is_named(self):
        self.with_resuming_pip()
        result = self.fetch("9.9.9")
        self.assertEqual(result.returncode, 3)
        self.assertIn("torch==9.9.9", result.stderr)

    def test_a_version_that_is_none_is_bad_usage(self):
        self.assertEqual(self.fetch("latest").returncode, 2)


class Pins(unittest.TestCase):
    def test_the_default_release_is_pinned(self):
        pins = json.loads((HERE / "libtorch_versions.json").read_text())
        self.assertIn(pins["default"], pins["versions"])
        for wheels in pins["versions"].values():
            for wheel in wheels:
                self.assertRegex(wheel["sha256"], "^[0-9a-f]{64}$")


if __name__ == "__main__":
    unittest.main()
