#!/usr/bin/env python3
"""Tests of since.py with a gradsmith and releases of PyTorch that are a few lines each."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent

# What stands in the chain below is the program; "R" is the release in tenths.
GRADSMITH = """#!{python}
import re, sys
text = open(sys.argv[2]).read().split("# program: ")
if len(text) < 2: sys.exit("no program")
open(sys.argv[-1], "w").write("import sys, torch; R = torch.R\\n" + text[1].splitlines()[0])
"""
RIGHT_FROM_FOUR = "print('off by one'); sys.exit(R < 40)"
LACKS_KERNEL_IN_ONE = "print('no kernel' if R < 20 else 'off by one'); sys.exit(1)"


class Since(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.gradsmith = self.program("gradsmith", GRADSMITH.format(python=sys.executable))

    def program(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def python(self, version):
        site = self.folder / f"site-{version}"
        site.mkdir()
        (site / "torch.py").write_text(f"__version__ = '{version}+cpu'\nR = int('{version}'.replace('.', '')[:2])\n"
                                       "def set_num_threads(number): pass\n")
        return self.program(f"python-{version}", f"#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} \"$@\"\n")

    def chain(self, name, program, *header):
        path = self.folder / f"{name}.chain"
        lines = ["gradsmith 1", "# expect: finding wrong-value", *header, f"# program: {program}", "a = input f64[]"]
        path.write_text("\n".join(lines) + "\n")
        return path

    def since(self, *words):
        return subprocess.run([sys.executable, HERE / "since.py", *words], text=True, capture_output=True)

    def test_the_oldest_release_that_shows_it_is_written(self):
        chain = self.chain("one", LACKS_KERNEL_IN_ONE)
        pythons = [self.python(version) for version in ("2.1.0", "1.9.1", "3.0.2")]  # in any order
        done = self.since(self.gradsmith, *pythons, "--chains", chain, "--write")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"one +\? +x +x  2\.1, written\n")
        self.assertIn("one, 1.9.1: no kernel\n", done.stdout)
        self.assertIn("\n# since: 2.1\na = input", chain.read_text())

    def test_a_release_that_is_right_again_hides_no_older_one(self):
        chain = self.chain("one", RIGHT_FROM_FOUR)
        done = self.since(self.gradsmith, *map(self.python, ("2.0.0", "3.9.0", "4.1.0")), "--chains", chain)
        self.assertRegex(done.stdout, r"one +x +x +-  2\.0\n")
        self.assertNotIn("since", chain.read_text())

    def test_another_convention_from_the_release_that_mended_it_is_no_sign_of_it(self):
        chain = self.chain("one", "print(R >= 40); sys.exit(1)", "# fixed: 4.0")
        done = self.since(self.gradsmith, *map(self.python, ("2.0.0", "3.9.0", "4.1.0")), "--chains", chain)
        self.assertRegex(done.stdout, r"one +x +x +\?  2\.0\n")

    def test_only_a_later_release_is_replaced(self):
        late = self.chain("late", "sys.exit(1)", "# since: 2.11")
        early = self.chain("early", "sys.exit(1)", "# since: 1.9")
        self.since(self.gradsmith, self.python("2.1.0"), "--chains", late, early, "--write")
        self.assertIn("# since: 2.1\n", late.read_text())
        self.assertIn("# since: 1.9\n", early.read_text())

    def test_what_every_release_has_right_gets_no_line(self):
        chain = self.chain("one", "sys.exit(0)")
        done = self.since(self.gradsmith, self.python("2.1.0"), "--chains", chain, "--write")
        self.assertRegex(done.stdout, r"one +-  none shows it\n")
        self.assertNotIn("since", chain.read_text())

    def test_a_chain_that_needs_a_device_is_left_out(self):
        chain = self.chain("one", "sys.exit(1)", "# device: cuda")
        done = self.since(self.gradsmith, self.python("2.1.0"), "--chains", chain, "--write")
        self.assertIn(f"left out: {chain}", done.stdout)
        self.assertNotIn("since", chain.read_text())

    def test_errors_say_where(self):
        chain, python = self.chain("one", "sys.exit(1)"), self.python("2.1.0")
        bare = self.program("bare", f"#!/bin/sh\nexec {sys.executable} -S -I -c 'import torch'\n")
        regression = self.folder / "regression.chain"
        regression.write_text("gradsmith 1\n# expect: pass\n# program: pass\na = input f64[]\n")
        for gradsmith, asked, file, code, says in [
                (self.gradsmith, bare, chain, 3, f"{bare}: ended with 1: ModuleNotFoundError"),
                (self.gradsmith, "/none", chain, 3, "/none: No such file"),
                ("/none", python, chain, 2, "/none: No such file"),
                (self.gradsmith, python, "/none.chain", 2, "/none.chain: No such file"),
                (self.gradsmith, python, regression, 2, "expects a finding")]:
            done = self.since(gradsmith, asked, "--chains", file)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(says, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
