"""What nixgen takes of a lock: ``nixgen lock``, and what ``nixgen.lock`` has for each target."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conformance.installs import EVERYTHING, MAIN
from conformance.locks import Made
from conformance.tools import ROOT, TOOLS, Workshop
from nixgen.lock import Lock
from nixgen.names import LOCK_NAME

#: How long locking may take, in seconds.
_LIMIT = 1800

#: A line of the error that lists packages without a wheel.
_WITHOUT = re.compile(r"^ +(?P<name>[^\s(]+)(?: (?P<version>\S+))? \((?P<keys>[^)]+)\): ", re.MULTILINE)

_SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What nixgen takes.

    Attributes:
        packages: name, version and file, by what is chosen and the target's key.
        failure: what it said where it refused; empty where it did not.
        unlisted: the files whose SHA-256 the tool's lock does not have, where it has any.
        refused: the name and version of what has no wheel, by the target's key, where that is the failure.
        seconds: how long it took.
    """

    packages: Mapping[tuple[str, str], frozenset[tuple[str, str, str]]]
    failure: str = ""
    unlisted: Sequence[str] = ()
    refused: Mapping[str, frozenset[tuple[str, str]]]
    seconds: float


def take(made: Made, pythons: Sequence[str], systems: Sequence[str], workshop: Workshop) -> Taken:
    """Lock what a tool locked, for some Pythons on some systems."""
    tool = TOOLS[made.tool]
    directory = made.directory / "nixgen"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for name in (*made.files, tool.lock):
        shutil.copy(made.directory / name, directory / name)
    targets = [*(f"--python={python}" for python in pythons), *(f"--system={system}" for system in systems)]
    start = time.monotonic()
    done = workshop.processes.run(
        [sys.executable, "-m", "nixgen", "lock", "--no-build", "-C", directory, directory / tool.lock, *targets],
        cwd=ROOT,
        env=workshop.environment("nixgen"),
        timeout=_LIMIT,
    )
    seconds = round(time.monotonic() - start, 1)
    if done.code != 0:
        said = f"{done.err}{done.out}".strip() if done.code is not None else f"not done after {_LIMIT} s"
        refused: dict[str, set[tuple[str, str]]] = {}
        for match in _WITHOUT.finditer(said):
            for key in match["keys"].split(", "):
                refused.setdefault(key, set()).add((match["name"], match["version"] or ""))
        kept = {key: frozenset(pins) for key, pins in refused.items()}
        return Taken(packages={}, failure=said[-4000:], refused=kept, seconds=seconds)
    lock = Lock.from_file(directory / LOCK_NAME)
    hashes = set(_SHA256.findall((directory / tool.lock).read_text(encoding="utf-8")))
    unlisted = [name for name, wheel in lock.wheels.items() if hashes and wheel.source.sha256 not in hashes]
    packages = {}
    for locked in lock.targets:
        for chosen in (MAIN, EVERYTHING):
            groups = {"group:dev"} if chosen == EVERYTHING else set()
            packages[chosen, locked.target.key] = frozenset(
                (package.name, package.version, package.wheel.filename)
                for package in locked.packages
                if any(groups.issuperset(when) for when in package.when)
            )
    return Taken(packages=packages, unlisted=unlisted, refused={}, seconds=seconds)
