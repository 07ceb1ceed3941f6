"""The trees of an environment that is built: where they are, and which of their files are copies, and why."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixgen.model import LockedPackage
from nixgen.store import Store

#: What a tree says of itself (nix/builders/manifest.py).
_MANIFEST = Path("nix-support", "nixgen.json")


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A file of a tree that is no link.

    Attributes:
        path: where it is in the environment.
        size: in bytes.
        reasons: why it is a copy.
    """

    path: str
    size: int
    reasons: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A built tree.

    Attributes:
        path: its store path.
        copies: path in the environment to the reasons for the copy.
        programs: paths of what is a store path of its own.
        files, size: how many files the wheel has in it and how many bytes; bytecode does not count.
    """

    path: Path
    copies: Mapping[str, Sequence[str]]
    programs: Sequence[str]
    files: int
    size: int

    @classmethod
    def read(cls, path: Path, manifest: Mapping[str, Any]) -> Tree:
        """Read a tree whose manifest is known."""
        sizes = [os.stat(file).st_size for file in _files(path)]  # noqa: PTH116 - thousands of them
        return cls(
            path=path,
            copies=manifest["copies"],
            programs=manifest["programs"],
            files=len(sizes),
            size=sum(sizes),
        )

    def copied(self) -> Iterator[Copy]:
        """Yield the copies, sorted by path."""
        for path, reasons in sorted(self.copies.items()):
            yield Copy(path=path, size=(self.path / path).stat().st_size, reasons=tuple(reasons))


def built_trees(environment: Path, packages: Iterable[LockedPackage], store: Store) -> dict[str, Tree]:
    """Return the trees of some packages that a built environment holds in the locked version, by package.

    Args:
        environment: the environment, or a link to it; where there is none, there are no trees.
        packages: those of the lock that are asked about.
        store: the store that holds it.

    Raises:
        NixError: Nix is missing, or does not know the environment.
    """
    if not environment.exists():
        return {}
    versions = {package.name: package.version for package in packages}
    found = {}
    for path in map(Path, store.requisites(environment.resolve())):
        if not (path / _MANIFEST).is_file():
            continue
        manifest = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))
        if versions.get(manifest["distribution"]) == manifest["version"]:
            found[manifest["distribution"]] = Tree.read(path, manifest)
    return found


def _files(tree: Path) -> Iterator[str]:
    """Yield the files of a tree but for its manifest and bytecode."""
    for directory, inner, names in os.walk(tree):
        inner[:] = [name for name in inner if name not in ("__pycache__", "nix-support")]
        yield from (os.path.join(directory, name) for name in names)  # noqa: PTH118 - thousands of them
