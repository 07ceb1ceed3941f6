"""The lock: everything that ``nix/`` needs, as versioned JSON. What it holds, how it is written and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import InputError
from .model import ALWAYS, LockedPackage, Overrides, WheelFile, WheelIndex, WheelSource
from .targets import Target

#: The only format that this nixgen writes and reads; ``nix/lock.nix`` refuses every other.
FORMAT = 1

#: What the lock is called, beside the requirements it locks.
LOCK_NAME = "nixgen.lock"

#: A value that fits a line of this many characters stands on one.
_WIDTH = 110


@dataclass(frozen=True, kw_only=True)
class TargetLock:
    """The packages of one target.

    Attributes:
        target: what they were chosen for.
        packages: sorted by name, then version.
        prefer: path in the environment to the package whose file stands there, where several bring one.
    """

    target: Target
    packages: tuple[LockedPackage, ...]
    prefer: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A lock.

    Attributes:
        targets: in the order in which they are preferred.
        wheels: the index of every wheel by its file name.
        extras, groups, default_groups: what a build may choose, sorted, and what it chooses by default.
    """

    targets: tuple[TargetLock, ...]
    wheels: Mapping[str, WheelIndex]
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    default_groups: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Return the lock as it stands in the file: the same lock gives the same bytes."""
        data = {
            "nixgen": FORMAT,
            "extras": list(self.extras),
            "groups": list(self.groups),
            "defaultGroups": list(self.default_groups),
            "targets": [_target_to_json(target) for target in self.targets],
            "wheels": {name: _wheel_to_json(self.wheels[name]) for name in sorted(self.wheels)},
        }
        return _pretty(data) + "\n"

    @classmethod
    def from_file(cls, path: Path) -> Lock:
        """Read a lock.

        Raises:
            InputError: where there is none, it is no lock, or it has a format that this nixgen does not know.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError("there is no lock", where=str(path), todo="run `nixgen lock`") from None
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read the lock: {error}", where=str(path), todo="run `nixgen lock`") from error
        found = data.get("nixgen") if isinstance(data, dict) else None
        if found != FORMAT:
            raise InputError(
                f"the lock has format {found}, and this nixgen reads format {FORMAT}",
                where=str(path),
                todo="run `nixgen lock` to write it anew, or use the nixgen that wrote it",
            )
        try:
            return cls._from_json(data)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"the lock is damaged: {error!r}", where=str(path), todo="run `nixgen lock` to write it anew"
            ) from error

    @classmethod
    def _from_json(cls, data: Mapping[str, Any]) -> Lock:
        wheels = {name: _wheel_from_json(name, wheel) for name, wheel in data["wheels"].items()}
        return cls(
            targets=tuple(_target_from_json(target, wheels) for target in data["targets"]),
            wheels=wheels,
            extras=tuple(data["extras"]),
            groups=tuple(data["groups"]),
            default_groups=tuple(data["defaultGroups"]),
        )


def _target_to_json(locked: TargetLock) -> dict[str, Any]:
    target = locked.target
    return {
        "python": target.python,
        "fullVersion": target.full_version,
        "system": target.system,
        "libc": "{} {}.{}".format(target.libc, *target.floor),
        **({"prefer": dict(sorted(locked.prefer.items()))} if locked.prefer else {}),
        "packages": [
            {
                "name": package.name,
                "version": package.version,
                "wheel": package.wheel.filename,
                **({} if package.when == ALWAYS else {"when": [list(clause) for clause in package.when]}),
            }
            for package in locked.packages
        ],
    }


def _target_from_json(data: Mapping[str, Any], wheels: Mapping[str, WheelIndex]) -> TargetLock:
    libc, _, floor = data["libc"].partition(" ")
    major, minor = map(int, floor.split("."))
    return TargetLock(
        target=Target(
            python=data["python"],
            full_version=data["fullVersion"],
            system=data["system"],
            libc=libc,
            floor=(major, minor),
        ),
        prefer=data.get("prefer", {}),
        packages=tuple(
            LockedPackage(
                name=package["name"],
                version=package["version"],
                wheel=wheels[package["wheel"]].source,
                when=tuple(tuple(clause) for clause in package.get("when", ALWAYS)),
            )
            for package in data["packages"]
        ),
    )


def _wheel_to_json(index: WheelIndex) -> dict[str, Any]:
    source = index.source
    place = {"url": source.url} if source.url is not None else {"path": source.path}
    scripts = {"console": dict(index.console_scripts), "gui": dict(index.gui_scripts)}
    filled = {kind: names for kind, names in scripts.items() if names}
    return {
        "name": index.name,
        "version": index.version,
        **place,
        "sha256": source.sha256,
        "size": source.size,
        "distInfo": index.dist_info,
        **({"dataDir": index.data_dir} if index.data_dir else {}),
        **({"scripts": filled} if filled else {}),
        **({"placement": placement} if (placement := _overrides_to_json(index.overrides)) else {}),
        "files": _files_to_tree(index.files),
    }


def _wheel_from_json(filename: str, data: Mapping[str, Any]) -> WheelIndex:
    scripts = data.get("scripts", {})
    if not isinstance(data["sha256"], str):
        raise TypeError(f"{filename} has no hash but {data['sha256']!r}")
    return WheelIndex(
        source=WheelSource(
            filename=filename,
            url=data.get("url"),
            path=data.get("path"),
            sha256=data["sha256"],
            size=data["size"],
        ),
        name=data["name"],
        version=data["version"],
        dist_info=data["distInfo"],
        data_dir=data.get("dataDir"),
        files=_files_from_tree(data["files"]),
        console_scripts=scripts.get("console", {}),
        gui_scripts=scripts.get("gui", {}),
        overrides=_overrides_from_json(data.get("placement", {})),
    )


def _overrides_to_json(overrides: Overrides) -> dict[str, Any]:
    return {
        **({"copy": list(overrides.copy)} if overrides.copy else {}),
        **({"link": list(overrides.link)} if overrides.link else {}),
        **({"solid": True} if overrides.solid else {}),
    }


def _overrides_from_json(data: Mapping[str, Any]) -> Overrides:
    return Overrides(copy=tuple(data.get("copy", ())), link=tuple(data.get("link", ())), solid=data.get("solid", False))


#: SHA-256 as base64 with padding.
_DIGEST_LENGTH = 44

#: A file is its hash, "" where it is empty, and [hash, "x"] where the archive marks it executable; with "alone" behind
#: them where it may be a program that needs nothing of its wheel.
_Entry = str | list[str]


def _files_to_tree(files: Mapping[str, WheelFile]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in sorted(files):
        *directories, name = path.split("/")
        node = tree
        for directory in directories:
            node = node.setdefault(directory, {})
        node[name] = _entry(files[path])
    return tree


def _entry(file: WheelFile) -> _Entry:
    if file.size == 0:
        return ""
    if not file.executable:
        return file.sha256
    return [file.sha256, "x", "alone"] if file.alone else [file.sha256, "x"]


def _files_from_tree(tree: Mapping[str, Any]) -> dict[str, WheelFile]:
    files: dict[str, WheelFile] = {}
    directories = [("", tree)]
    while directories:
        prefix, directory = directories.pop()
        for name, entry in directory.items():
            path = prefix + name
            match entry:
                case str(digest) if len(digest) == _DIGEST_LENGTH:
                    files[path] = WheelFile(sha256=digest, size=None)
                case dict():
                    directories.append((f"{path}/", entry))
                case "":
                    files[path] = WheelFile(sha256="", size=0)
                case [str(digest), "x"] | [str(digest), "x", "alone"] if len(digest) == _DIGEST_LENGTH:
                    files[path] = WheelFile(sha256=digest, size=None, executable=True, alone=len(entry) > 2)
                case _:
                    raise ValueError(f"{path} has no hash but {entry!r}")
    return dict(sorted(files.items()))


def _pretty(value: Any, indent: int = 0) -> str:
    """Return JSON that is read in a diff: short values on one line, keys in the order given, one space a level."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or not value or (indent > 1 and indent + len(flat) <= _WIDTH):
        return flat
    pad = " " * (indent + 1)
    if isinstance(value, dict):
        keys = {key: json.dumps(key, ensure_ascii=False) for key in value}
        lines = [f"{pad}{keys[key]}: {_pretty(item, indent + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"
    lines = [pad + _pretty(item, indent + 1) for item in value]
    return "[\n" + ",\n".join(lines) + "\n" + " " * indent + "]"
