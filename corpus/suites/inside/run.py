"""Run tests with pytest, and write each one's outcome, a line of JSON each: a process that dies leaves what it wrote.

The arguments are the file to write; those of pytest; ``--``; then what is run: packages and modules by their names, or
files by what this wrote of them before.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

# A thread for each processor waits for the others where something else runs; the tests' arrays are small.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

#: Of a failure and of a reason, in characters.
_SAID = 1500

_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


class Outcomes:
    """A plugin of pytest that writes outcomes."""

    def __init__(self, path: Path, root: Path) -> None:
        self._file = path.open("w", encoding="utf-8", buffering=1)
        self._root = root

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Write what a test gave: of its steps, the last one that says something is read."""
        if report.when == "call" or not report.passed:
            self._write(report, "error" if report.failed and report.when != "call" else _outcome(report))

    def pytest_collectreport(self, report: Any) -> None:
        """Write what cannot be read as tests, or is skipped as a whole."""
        if not report.passed:
            self._write(report, "error" if report.failed else "skipped")

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write that it came to its end."""
        print(json.dumps({"end": int(exitstatus)}), file=self._file)

    def _write(self, report: Any, outcome: str) -> None:
        said = ""
        if outcome in ("failed", "error"):
            said = report.longreprtext[-_SAID:]
        elif outcome == "skipped" and isinstance(report.longrepr, tuple):
            said = report.longrepr[2][:_SAID]
        print(json.dumps({"test": self._name(report.nodeid), "outcome": outcome, "said": said}), file=self._file)

    def _name(self, node: str) -> str:
        """Return a test's name as it is in every environment: its parameters may have paths and addresses."""
        return _ADDRESS.sub("ADDRESS", node.replace(str(self._root), "ROOT").replace(sys.prefix, "ENV"))


def _outcome(report: Any) -> str:
    if hasattr(report, "wasxfail"):
        return "xpassed" if report.passed else "xfailed"
    return str(report.outcome)


def main() -> int:
    """Run pytest, and return its exit code."""
    path, *words = sys.argv[1:]
    end = words.index("--")
    options, chosen = words[:end], words[end + 1 :]
    root = Path(_found(chosen[0].partition("/")[0].partition(".")[0])).parent
    places = [str(root / word) if "/" in word else _found(word) for word in chosen]
    with tempfile.TemporaryDirectory() as directory:
        # No configuration of whatever lies above, and names of tests that begin at the packages.
        ini = Path(directory, "pytest.ini")
        ini.write_text("[pytest]\n")
        given = ["-q", "-p", "no:cacheprovider", "--tb=short", "-c", str(ini), "--rootdir", str(root)]
        return int(pytest.main([*given, *options, *places], plugins=[Outcomes(Path(path), root)]))


def _found(name: str) -> str:
    spec = importlib.util.find_spec(name)
    if spec is None:
        sys.exit(f"there is no module {name}")
    return spec.submodule_search_locations[0] if spec.submodule_search_locations else str(spec.origin)


if __name__ == "__main__":
    sys.path.pop(0)  # this directory, whose names are nobody's
    sys.exit(main())
