"""The lock: everything that ``nix/`` needs, as versioned JSON. What it holds, how it is written and read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import InputError
from .model import ALWAYS, Clause, LockedPackage, LockedWheel, Overrides, WheelSource
from .targets import Target

#: The only format that this nixgen writes and reads; ``nix/lock.nix`` refuses every other.
FORMAT = 2

#: What the lock is called, beside the requirements it locks.
LOCK_NAME = "nixgen.lock"

#: What to do about a lock that cannot be used. It is nobody's but the user's to throw away.
_REPAIR = (
    "restore it (`git checkout nixgen.lock`; after a conflict in a merge take either side) and run `nixgen lock`; "
    "without it, `nixgen lock` resolves everything anew"
)
_OLDER = "run `nixgen lock`, which writes it anew with the same packages"
_NEWER = "use the nixgen that wrote it, or a newer one; to start anew, remove the lock and run `nixgen lock`"

#: SHA-256 in hexadecimal digits.
_DIGEST_LENGTH = 64


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
        wheels: every wheel by its file name.
        inputs: a hash of what each file said that was locked, by its path (``nixgen/fingerprint.py``).
        extras, groups, default_groups: what a build may choose, sorted, and what it chooses by default.
    """

    targets: tuple[TargetLock, ...]
    wheels: Mapping[str, LockedWheel]
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    default_groups: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)

    def to_text(self) -> str:
        """Return the lock as it stands in the file: the same lock gives the same bytes."""
        lines = {
            "nixgen": _json(FORMAT),
            "inputs": _json(dict(sorted(self.inputs.items()))),
            "extras": _json(list(self.extras)),
            "groups": _json(list(self.groups)),
            "defaultGroups": _json(list(self.default_groups)),
            "targets": _listed(_json(_target_to_json(target)) for target in self.targets),
            "packages": _listed(_package_to_text(package) for package in self._packages()),
        }
        return "{\n" + ",\n".join(f" {_json(key)}: {value}" for key, value in lines.items()) + "\n}\n"

    def _packages(self) -> list[dict[str, Any]]:
        """Return every wheel once, as JSON has it, with the targets that have it, sorted by name, version and file."""
        found: dict[str, tuple[LockedPackage, dict[str, tuple[Clause, ...]]]] = {}
        for locked in self.targets:
            for package in locked.packages:
                found.setdefault(package.wheel.filename, (package, {}))[1][locked.target.key] = package.when
        keys = [locked.target.key for locked in self.targets]
        ordered = sorted(found.values(), key=lambda item: (item[0].name, item[0].version, item[0].wheel.filename))
        return [
            {
                "name": package.name,
                "version": package.version,
                "wheel": package.wheel.filename,
                **_when_to_json(when, keys),
                **_wheel_to_json(self.wheels[package.wheel.filename]),
            }
            for package, when in ordered
        ]

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
            raise InputError(f"cannot read the lock: {error}", where=str(path), todo=_REPAIR) from error
        found = data.get("nixgen") if isinstance(data, dict) else None
        if found != FORMAT:
            raise InputError(
                f"the lock has format {found}, and this nixgen reads format {FORMAT}",
                where=str(path),
                todo=_OLDER if found == 1 else _REPAIR if not isinstance(found, int) else _NEWER,
            )
        try:
            return cls.from_json(data)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"the lock is damaged: {error!r}", where=str(path), todo=_REPAIR) from error

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Lock:
        """Read the JSON of a lock, whose format has been looked at.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: it is damaged.
        """
        wheels = {}
        packages: dict[str, list[LockedPackage]] = {key: [] for key in map(_key, data["targets"])}
        for package in data["packages"]:
            wheel = wheels[package["wheel"]] = _wheel_from_json(package)
            for key, when in _when_from_json(package, packages).items():
                packages[key].append(
                    LockedPackage(name=package["name"], version=package["version"], wheel=wheel.source, when=when)
                )
        return cls(
            targets=tuple(_target_from_json(target, packages[_key(target)]) for target in data["targets"]),
            wheels=wheels,
            extras=tuple(data["extras"]),
            groups=tuple(data["groups"]),
            default_groups=tuple(data["defaultGroups"]),
            inputs=dict(data.get("inputs", {})),
        )


def _target_to_json(locked: TargetLock) -> dict[str, Any]:
    target = locked.target
    return {
        "python": target.python,
        "fullVersion": target.full_version,
        "system": target.system,
        "libc": "{} {}.{}".format(target.libc, *target.floor),
        **({"prefer": dict(sorted(locked.prefer.items()))} if locked.prefer else {}),
    }


def _key(target: Mapping[str, Any]) -> str:
    return f"{target['python']}-{target['system']}"


def _target_from_json(data: Mapping[str, Any], packages: list[LockedPackage]) -> TargetLock:
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
        packages=tuple(packages),
    )


def _when_to_json(when: Mapping[str, tuple[Clause, ...]], keys: list[str]) -> dict[str, Any]:
    """Return which targets have a package, and when; all of them always, where nothing is said."""
    conditions = set(when.values())
    if len(conditions) > 1:
        return {"targets": {key: _clauses(when[key]) for key in keys if key in when}}
    (condition,) = conditions
    return {
        **({} if len(when) == len(keys) else {"targets": [key for key in keys if key in when]}),
        **({} if condition == ALWAYS else {"when": _clauses(condition)}),
    }


def _clauses(when: tuple[Clause, ...]) -> list[list[str]]:
    return [list(clause) for clause in when]


def _when_from_json(package: Mapping[str, Any], keys: Iterable[str]) -> dict[str, tuple[Clause, ...]]:
    targets = package.get("targets", list(keys))
    if isinstance(targets, list):
        targets = dict.fromkeys(targets, package.get("when", ALWAYS))
    return {key: tuple(map(tuple, when)) for key, when in targets.items()}


def _wheel_to_json(wheel: LockedWheel) -> dict[str, Any]:
    source = wheel.source
    return {
        **({"placement": placement} if (placement := _overrides_to_json(wheel.overrides)) else {}),
        **({"url": source.url} if source.url is not None else {"path": source.path}),
        "sha256": source.sha256,
        "size": source.size,
        "index": wheel.index,
        **({"verified": True} if wheel.verified else {}),
    }


def _wheel_from_json(data: Mapping[str, Any]) -> LockedWheel:
    for key in ("sha256", "index"):
        if not isinstance(data[key], str) or len(data[key]) != _DIGEST_LENGTH:
            raise ValueError(f"{data['wheel']} has no hash as {key} but {data[key]!r}")
    return LockedWheel(
        source=WheelSource(
            filename=data["wheel"],
            url=data.get("url"),
            path=data.get("path"),
            sha256=data["sha256"],
            size=data["size"],
        ),
        name=data["name"],
        index=data["index"],
        verified=data.get("verified", False) is True,
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


def _package_to_text(package: Mapping[str, Any]) -> str:
    """Return a package on three lines: what it is, where its wheel is, and its hashes."""
    place = "url" if "url" in package else "path"
    hashes = ("sha256", "size", "index", "verified")
    first = {key: value for key, value in package.items() if key not in (place, *hashes)}
    parts = (first, {place: package[place]}, {key: package[key] for key in hashes if key in package})
    return "{" + ",\n   ".join(_json(part)[1:-1] for part in parts) + "}"


def _listed(items: Iterable[str]) -> str:
    lines = ",\n".join(f"  {item}" for item in items)
    return f"[\n{lines}\n ]" if lines else "[]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
