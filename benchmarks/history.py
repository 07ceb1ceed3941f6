"""What a lock costs a repository's history: ``python -m benchmarks.history`` locks one environment at ten dates.

Real releases, as the package index had them at each date (``--exclude-newer``). Every lock is committed, and beside it
the same lock in format 1, which had every file in it, and uv's own; each in a repository of its own.
"""

from __future__ import annotations

import argparse
import datetime
import difflib
import itertools
import json
import statistics
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixgen.cli.console import size
from nixgen.indexes import indexes_of_lock
from nixgen.inputs import uv
from nixgen.inputs.options import ResolverOptions
from nixgen.lock import Lock
from nixgen.locking.project import Request, lock_project
from nixgen.model import WheelIndex
from nixgen.names import LOCK_NAME

#: What a developer's environment of some 140 wheels is made of.
ROOTS = (
    *("jupyterlab", "pandas", "scikit-learn", "matplotlib", "django", "celery", "sqlalchemy", "alembic"),
    *("boto3", "black", "mypy", "pytest", "pytest-cov", "sphinx", "aiohttp"),
)

#: A value that fits a line of this many characters stood on one in format 1.
_WIDTH = 110


class Repository:
    """A repository of Git with one file.

    Args:
        directory: of the repository; made.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True)
        self._git("init", "--quiet")

    def commit(self, name: str, text: str) -> None:
        """Commit a file, in place of what it was."""
        (self._directory / name).write_text(text, encoding="utf-8")
        self._git("add", name)
        identity = ("-c", "user.name=benchmarks", "-c", "user.email=benchmarks@example.invalid")
        self._git(*identity, "commit", "--quiet", "--allow-empty", "--message", "lock")

    def size(self) -> int:
        """Return the bytes of all objects, packed as ``git gc`` packs them."""
        self._git("gc", "--quiet", "--aggressive", "--prune=now")
        return sum(path.stat().st_size for path in self._directory.glob(".git/objects/pack/*.pack"))

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self._directory, check=True, capture_output=True)


@dataclass(frozen=True, kw_only=True)
class History:
    """What one kind of lock came to.

    Attributes:
        name: what it is.
        last: bytes of the last lock.
        lines: of each lock but the first, how many differ from the one before.
        packed: bytes of the repository that has all of them.
    """

    name: str
    last: int
    lines: tuple[int, ...]
    packed: int


def format_1(lock: Lock, indexes: Mapping[str, WheelIndex]) -> str:
    """Return a lock as nixgen wrote it in format 1: with every file of every wheel."""
    data = json.loads(lock.to_text())
    wheels = {}
    for package in data["packages"]:
        index = indexes[package["wheel"]]
        scripts = {"console": index.console_scripts, "gui": index.gui_scripts}
        filled = {kind: dict(names) for kind, names in scripts.items() if names}
        wheels[package["wheel"]] = {
            **{key: package[key] for key in ("name", "version", "url", "path", "sha256", "size") if key in package},
            "distInfo": index.dist_info,
            **({"dataDir": index.data_dir} if index.data_dir else {}),
            **({"scripts": filled} if filled else {}),
            "files": _tree(index),
        }
    listed = [{key: package[key] for key in ("name", "version", "wheel")} for package in data["packages"]]
    targets = [{**target, "packages": listed} for target in data["targets"]]
    names = {key: data[key] for key in ("extras", "groups", "defaultGroups")}
    return _pretty({"nixgen": 1, **names, "targets": targets, "wheels": wheels}) + "\n"


def _tree(index: WheelIndex) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, file in index.files.items():
        *directories, name = path.split("/")
        node = tree
        for directory in directories:
            node = node.setdefault(directory, {})
        node[name] = "" if not file.size else [file.sha256, "x"] if file.executable else file.sha256
    return tree


def _pretty(value: Any, indent: int = 0) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or not value or (indent > 1 and indent + len(flat) <= _WIDTH):
        return flat
    pad = " " * (indent + 1)
    if isinstance(value, dict):
        lines = [
            f"{pad}{json.dumps(key, ensure_ascii=False)}: {_pretty(item, indent + 1)}" for key, item in value.items()
        ]
        return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(pad + _pretty(item, indent + 1) for item in value) + "\n" + " " * indent + "]"


def measure(kinds: Mapping[str, list[str]], root: Path) -> list[History]:
    """Commit the texts of each kind of lock, and return what came of it.

    Args:
        kinds: the locks of a kind in their order, by the kind's name.
        root: an empty directory for the repositories.
    """
    found = []
    for number, (name, texts) in enumerate(kinds.items()):
        repository = Repository(root / str(number))
        for text in texts:
            repository.commit("lock", text)
        pairs = itertools.pairwise(text.splitlines() for text in texts)
        lines = tuple(_changed(before, after) for before, after in pairs)
        found.append(History(name=name, last=len(texts[-1].encode()), lines=lines, packed=repository.size()))
    return found


def _changed(before: list[str], after: list[str]) -> int:
    return sum(line[0] in "+-" and line[:3] not in ("+++", "---") for line in difflib.unified_diff(before, after, n=0))


def main() -> None:
    """Lock at ten dates, a week apart, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__)
    parser.add_argument("--until", metavar="DATE", default=str(datetime.date.today()), help="the last date")
    parser.add_argument("--dates", metavar="N", type=int, default=10, help="how many (default: %(default)s)")
    options = parser.parse_args()
    last = datetime.date.fromisoformat(options.until)
    dates = [str(last - datetime.timedelta(weeks=week)) for week in reversed(range(options.dates))]
    with tempfile.TemporaryDirectory(prefix="nixgen-") as scratch:
        kinds = _locks(Path(scratch, "project"), dates)
        rows = measure(kinds, Path(scratch, "repositories"))
    wheels = json.loads(kinds["nixgen.lock"][-1])["packages"]
    print(f"{len(wheels)} wheels, {len(dates)} dates from {dates[0]} to {dates[-1]}\n")
    print("| lock | bytes | lines of an upgrade, median | history, packed | beside format 1 |")
    print("| --- | --- | --- | --- | --- |")
    old = next(row for row in rows if row.name == "format 1")
    for row in rows:
        lines = f"{statistics.median(row.lines):,.0f}"
        print(f"| {row.name} | {size(row.last)} | {lines} | {size(row.packed)} | {row.packed / old.packed:.2%} |")


def _locks(project: Path, dates: list[str]) -> dict[str, list[str]]:
    project.mkdir()
    (project / "requirements.in").write_text("".join(f"{root}\n" for root in ROOTS))
    kinds: dict[str, list[str]] = {"nixgen.lock": [], "format 1": [], "pylock.toml of uv": []}
    for date in dates:
        resolver = ResolverOptions(exclude_newer=date, upgrade=True)
        lock_project(Request(base=project, inputs=(project / "requirements.in",), resolver=resolver))
        lock = Lock.from_file(project / LOCK_NAME)
        kinds["nixgen.lock"].append(lock.to_text())
        kinds["format 1"].append(format_1(lock, indexes_of_lock(lock.wheels.values(), base=project)))
        words = ["pip", "compile", "--quiet", "--format", "pylock.toml", "--exclude-newer", date, "requirements.in"]
        kinds["pylock.toml of uv"].append(uv.run(words, cwd=project))
    return kinds


if __name__ == "__main__":
    main()
