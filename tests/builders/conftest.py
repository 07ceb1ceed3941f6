"""The builders of ``nix/builders`` as plain Python, with a directory that stands for the store."""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from nixgen.leaf import leaf_path
from tests.support.locks import index_bytes
from tests.support.nix import LIBRARY

BUILDERS = LIBRARY / "builders"

# The library is shipped as it lies in the checkout: nothing may be written beside it.
sys.dont_write_bytecode = True
sys.path.insert(0, str(BUILDERS))

import compiled as compiled_builder  # noqa: E402
import env as env_builder  # noqa: E402
import index  # noqa: E402
import layout  # noqa: E402
import manifest  # noqa: E402
import mounted as mounted_builder  # noqa: E402
import program as program_builder  # noqa: E402
import tree as tree_builder  # noqa: E402

#: The interpreter under the one that runs the tests: a virtual environment is no home for another.
INTERPRETER = os.path.realpath(sys.executable)

#: What ``source bin/activate`` reads; links as an environment has them.
ACTIVATE = {"activate": str(LIBRARY / "activate.sh"), "activate.fish": str(LIBRARY / "activate.fish")}

#: What an environment shares with all others; see nix/env.nix.
SHARED = {
    "activate": ACTIVATE,
    "venv": str(LIBRARY / "venv"),
}

Wheel = tuple[str, bytes]


class Workbench:
    """Make trees and environments of wheels below a directory.

    Attributes:
        store: the directory that stands for the store.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = root / "store"
        self.store.mkdir()

    def leaf(self, name: str, content: bytes) -> str:
        """Put a file into the store as a leaf, and return its path."""
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        path = Path(leaf_path(name, digest, str(self.store)))
        if not path.exists():
            path.write_bytes(content)
            path.chmod(0o444)
            os.utime(path, (1, 1))
        return str(path)

    def attributes(self, wheel: Wheel) -> dict[str, Any]:
        """Return the attributes of a wheel's tree, as nix/tree.nix gives them."""
        filename, content = wheel
        name, version = filename.split("-")[:2]
        files: list[list[str]] = []
        points = configparser.ConfigParser(delimiters=("=",), interpolation=None)
        points.optionxform = str  # type: ignore[assignment,method-assign]
        with zipfile.ZipFile(BytesIO(content)) as archive:
            alone = index.standing_alone(
                {
                    member.filename: index.Member(member.file_size, bool(member.external_attr >> 16 & 0o111))
                    for member in archive.infolist()
                }
            )
            for member in archive.infolist():
                if member.is_dir():
                    continue
                last = member.filename.rpartition("/")[2]
                leaf = self.leaf(last, archive.read(member)) if member.file_size else ""
                files.append([member.filename, leaf, *(["x"] if member.external_attr >> 16 & 0o111 else [])])
                if member.filename in alone:
                    files[-1].append(self._program(leaf))
                if member.filename == f"{name}-{version}.dist-info/entry_points.txt":
                    points.read_string(archive.read(member).decode())
        data = f"{name}-{version}.data"
        groups = [points[group] for group in ("console_scripts", "gui_scripts") if group in points]
        return {
            "distribution": name.replace("_", "-"),
            "version": version,
            "distInfo": f"{name}-{version}.dist-info",
            "dataDir": data if any(file[0].startswith(f"{data}/") for file in files) else "",
            "commands": [[command, points[command]] for points in groups for command in points],
            "installer": self.leaf("INSTALLER", b"nixgen\n"),
            "index": self.leaf("index.json", index_bytes(wheel)),
            "files": files,
        }

    def _program(self, leaf: str) -> str:
        out = self._path("program")
        program_builder.build({"leaf": leaf}, str(out))
        return str(out)

    def tree(self, wheel: Wheel, placement: Mapping[str, Any] | None = None) -> Path:
        """Build the tree of a wheel; ``placement`` is what the user overrides."""
        out = self._path(wheel[0].split("-")[0])
        given = {"placement": placement} if placement else {}
        tree_builder.build({**self.attributes(wheel), **given}, str(out))
        register(out)
        return out

    def env(
        self,
        *wheels: Wheel | Path,
        prefer: Mapping[str, str] | None = None,
        name: str = "env",
        libraries: Sequence[Path] = (),
        ignore: Sequence[str] = (),
        required: bool = False,
    ) -> Path:
        """Build the environment of wheels or trees; ``required`` as with a Python of the store."""
        trees = [str(wheel if isinstance(wheel, Path) else self.tree(wheel)) for wheel in wheels]
        out = self._path(name)
        env_builder.build(
            {
                "trees": trees,
                "python": INTERPRETER,
                "prefer": [*(prefer or {}).items()],
                **SHARED,
                # Of the store, as all that an image has.
                "activate": {name: self.leaf(name, Path(path).read_bytes()) for name, path in ACTIVATE.items()},
                "libraries": {"given": [*map(str, libraries)], "ignore": [*ignore], "required": required},
            },
            str(out),
        )
        register(out)
        return out

    def mounted(self, *wheels: Wheel, name: str = "env") -> Path:
        """Build the image of the environment of wheels; ``environment`` in it leads to that."""
        trees = [self.tree(wheel) for wheel in wheels]
        env = self.env(*trees, name=name)
        out = self._path(f"{name}-mounted")
        made = [
            {"path": str(tree), "attributes": json.dumps(self.attributes(wheel))}
            for tree, wheel in zip(trees, wheels, strict=True)
        ]
        compiled = self._path("compiled")
        compiled_builder.build({"venv": str(LIBRARY / "venv")}, str(compiled))
        mounted_builder.build({"env": str(env), "compiled": str(compiled), "trees": made}, str(out))
        register(out)
        return out

    def _path(self, name: str) -> Path:
        return self.store / f"{len(list(self.store.iterdir())):0>32}-{name}"


def register(out: Path) -> None:
    """Give all files below an output the time that Nix gives them."""
    for directory, _, files in os.walk(out):
        for name in files:
            os.utime(Path(directory, name), (1, 1), follow_symlinks=False)


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    """Give a workbench below the test's directory."""
    return Workbench(tmp_path)


@pytest.fixture(scope="session")
def pip(tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    """Give a pip to run: that of the tests' own environment, else one that ``ensurepip`` makes."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    root = tmp_path_factory.mktemp("pip")
    subprocess.run([INTERPRETER, "-m", "venv", root], check=True)
    return [str(root / "bin/python"), "-m", "pip"]


@pytest.fixture
def run() -> Callable[..., str]:
    """Run a command without the caller's Python settings, and return what it prints; a failure fails the test."""

    def run(*command: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        done = subprocess.run(
            [str(word) for word in command],
            env={**clean, **(env or {})},
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def site(env: Path) -> Path:
    """Return an environment's site-packages."""
    return env / layout.site_packages()


def record_of(root: Path) -> dict[str, tuple[str, str]]:
    """Return the rows of the only RECORD below a tree's or an environment's site-packages."""
    (path,) = site(root).glob("*.dist-info/RECORD")
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row[0], (row[1], row[2])) for row in csv.reader(file)]
    assert len(dict(rows)) == len(rows), "RECORD has a path twice"
    return dict(rows)


def manifest_of(tree: Path) -> dict[str, Any]:
    """Return what a tree says of itself."""
    said: dict[str, Any] = json.loads((tree / manifest.PATH).read_text(encoding="utf-8"))
    return said


def listing(root: Path) -> Iterable[str]:
    """Return every file and link below a directory, relative to it, sorted; links are not followed."""
    found = []
    for directory, directories, files in os.walk(root):
        links = [name for name in directories if Path(directory, name).is_symlink()]
        found += [str(Path(directory, name).relative_to(root)) for name in [*files, *links]]
    return sorted(found)
