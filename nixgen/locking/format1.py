"""A lock of format 1, which listed every file of every wheel, read so that it can be written anew without resolving."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixgen.errors import VerificationError
from nixgen.lock import Lock
from nixgen.model import WheelIndex

_NO_INDEX = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Format1:
    """A lock of format 1.

    Attributes:
        lock: what it says, but for the indexes of its wheels, which it does not name.
        files: of each wheel, by its file name: the SHA-256 of each file by its path, "" of an empty one.
    """

    lock: Lock
    files: Mapping[str, Mapping[str, str]]

    @classmethod
    def read(cls, path: Path) -> Format1 | None:
        """Read a lock; None where there is none, or where it is of another format or damaged."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["nixgen"] != 1:
                return None
            return cls(
                lock=Lock.from_json({**data, "packages": list(_packages(data))}),
                files={name: dict(_files("", wheel["files"])) for name, wheel in data["wheels"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def check(self, indexes: Iterable[WheelIndex]) -> None:
        """Compare wheels that were read anew with what the lock said of them.

        Raises:
            VerificationError: a wheel has other files.
        """
        for index in indexes:
            found = {path: file.sha256 if file.size else "" for path, file in index.files.items()}
            held = self.files.get(index.source.filename, found)
            if found != held:
                differing = sorted(path for path in found.keys() | held.keys() if found.get(path) != held.get(path))
                raise VerificationError(
                    f"the wheel {index.source.filename} does not hold what the lock says",
                    where=differing[0],
                    todo="see who is right: `nixgen lock --verify` downloads the wheels and locks what is in them",
                )


def _packages(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each package of each target as format 2 has it."""
    for target in data["targets"]:
        for package in target["packages"]:
            wheel = data["wheels"][package["wheel"]]
            place = {key: wheel[key] for key in ("url", "path", "sha256", "size", "placement") if key in wheel}
            yield {"index": _NO_INDEX, **package, **place, "targets": [f"{target['python']}-{target['system']}"]}


def _files(prefix: str, directory: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, entry in directory.items():
        if isinstance(entry, dict):
            yield from _files(f"{prefix}{name}/", entry)
        else:
            yield prefix + name, entry[0] if isinstance(entry, list) else entry
