"""One derivation per wheel with real files: the way that Nix tools for Python do it today.

``default.nix`` fetches each wheel, installs it with ``builder.py`` into a store path of its own, with bytecode, and
links them into an environment.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks import disk
from benchmarks.clock import Sample, output, timed
from benchmarks.rounds import Bench
from benchmarks.stores import PrivateStore

_HERE = Path(__file__).parent


class PerWheel:
    """An environment of some wheels.

    Args:
        directory: for what Nix reads, and ``result``; must not exist yet.
        bench: the wheels, their server and the interpreter.
        pins: which of the set's wheels.
    """

    def __init__(self, directory: Path, bench: Bench, pins: Sequence[str]) -> None:
        self._directory = directory
        self._count = len(pins)
        directory.mkdir()
        names = {pin.partition("==")[0].replace("-", "_").lower() for pin in pins}
        listed = [wheel for wheel in bench.index.wheels() if wheel["filename"].partition("-")[0].lower() in names]
        (directory / "wheels.json").write_text(json.dumps({"wheels": listed, "python": bench.python}))

    def build(self, store: PrivateStore) -> Sample:
        """Build it into ``result``."""
        listed = str(self._directory / "wheels.json")
        words = store.command("nix-build", str(_HERE / "default.nix"), "--argstr", "listed", listed)
        return timed(words, env=store.env, cwd=self._directory)

    def check(self, store: PrivateStore, imports: Sequence[str]) -> None:
        """See that the environment holds every distribution and runs.

        Raises:
            CommandFailedError: it does not.
        """
        code = "import importlib.metadata as m\nfound = sorted(d.name for d in m.distributions())\n"
        code += f"assert len(found) == {self._count}, found\n" + "".join(f"import {name}\n" for name in imports)
        output(store.command("result/bin/python", "-I", "-c", code), env=store.env, cwd=self._directory)

    def closure(self, store: PrivateStore, result: Path) -> int:
        """Return the allocated bytes of what an environment of a store needs, itself included."""
        words = store.command("nix-store", "--query", "--requisites", str(result))
        return disk.allocated(*map(store.outside, output(words, env=store.env, cwd=self._directory).split()))
