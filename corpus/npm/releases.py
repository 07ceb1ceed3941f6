"""What the newest release of a package has in common with the one before."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

#: Those whose releases are large, and come often.
NAMES = ("next", "eslint", "webpack", "typescript", "react-dom")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two releases of a package.

    Attributes:
        name, newer, older: which.
        files, size: of the newer one; in bytes.
        same_files, same_size: those that the older one has as well, at whatever path.
    """

    name: str
    newer: str
    older: str
    files: int
    size: int
    same_files: int
    same_size: int


def compare_all(scratch: Path) -> list[Pair]:
    """Ask the registry for two releases of each package, and compare them."""
    scratch.mkdir(parents=True, exist_ok=True)
    return [_pair(name, scratch) for name in NAMES]


def two_newest(latest: str, versions: list[str]) -> tuple[str, str]:
    """Return the latest release and the one before it, of those that are no prereleases.

    Args:
        latest: the version that the registry gives to who asks for none.
        versions: all that it has.
    """
    stable = {Version(one): one for one in versions if "-" not in one}
    below = [one for one in sorted(stable) if one < Version(latest)]
    return latest, stable[below[-1]]


def compare(name: str, newer: tuple[str, Path], older: tuple[str, Path]) -> Pair:
    """Compare the archives of two releases, each with its version."""
    mine, theirs = _files(newer[1]), set(_files(older[1]))
    same = [size for digest, size in mine if (digest, size) in theirs]
    return Pair(
        name=name,
        newer=newer[0],
        older=older[0],
        files=len(mine),
        size=sum(size for _, size in mine),
        same_files=len(same),
        same_size=sum(same),
    )


def _pair(name: str, scratch: Path) -> Pair:
    said = json.loads(_npm("view", name, "version", "versions", "--json", cwd=scratch))
    newer, older = two_newest(said["version"], said["versions"])
    archives = []
    for version in (newer, older):
        packed = json.loads(_npm("pack", f"{name}@{version}", "--json", "--ignore-scripts", cwd=scratch))
        archives.append((version, scratch / packed[0]["filename"]))
    print(f"{name}: {newer}, {older}", file=sys.stderr, flush=True)
    return compare(name, archives[0], archives[1])


def _files(archive: Path) -> list[tuple[str, int]]:
    """Return the SHA-256 and size of each file of an archive."""
    found = []
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.isfile():
                file = opened.extractfile(member)
                assert file is not None
                found.append((hashlib.file_digest(file, "sha256").hexdigest(), member.size))  # type: ignore[arg-type]
    return found


def _npm(*words: str, cwd: Path) -> str:
    return subprocess.run(["npm", *words], cwd=cwd, capture_output=True, text=True, check=True).stdout
