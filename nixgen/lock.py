"""The lock: everything that ``nix/`` needs, as versioned JSON. What it holds, how it is written and read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .errors import InputError
from .model import (
    ALWAYS,
    Build,
    BuildSettings,
    Clause,
    LockedPackage,
    LockedWheel,
    Overrides,
    PythonArchive,
    Source,
    WheelSource,
)
from .targets import Target

if TYPE_CHECKING:
    from .npm.model import NpmLock

#: The only format that this nixgen writes and reads; ``nix/lock.nix`` refuses every other.
FORMAT = 2

#: What to do about a lock that cannot be used. It is nobody's but the user's to throw away.
#: How Git marks the beginning of a conflict.
_CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)

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
        archive: the Python to build with; None for one that is there.
    """

    target: Target
    packages: tuple[LockedPackage, ...]
    prefer: Mapping[str, str] = field(default_factory=dict)
    archive: PythonArchive | None = None


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A lock.

    Attributes:
        targets: in the order in which they are preferred.
        wheels: every wheel by its file name.
        inputs: a hash of what each file said that was locked, by its path (``nixgen/fingerprint.py``).
        extras, groups, default_groups: what a build may choose, sorted, and what it chooses by default.
        members: the members of a workspace, of which a build may choose one.
        tools: the packages that no environment has, and that wheels are built with.
        npm: what there is of npm; None where there is nothing.
    """

    targets: tuple[TargetLock, ...]
    wheels: Mapping[str, LockedWheel]
    tools: tuple[LockedPackage, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    default_groups: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    npm: NpmLock | None = None

    def to_text(self) -> str:
        """Return the lock as it stands in the file: the same lock gives the same bytes."""
        lines = {
            "nixgen": _json(FORMAT),
            "inputs": _json(dict(sorted(self.inputs.items()))),
            "extras": _json(list(self.extras)),
            "groups": _json(list(self.groups)),
            "defaultGroups": _json(list(self.default_groups)),
            **({"members": _json(list(self.members))} if self.members else {}),
            "targets": _listed(_target_to_text(target) for target in self.targets),
            "packages": _listed(_package_to_text(package) for package in self._packages()),
            **({} if self.npm is None else {"npm": _npm().section_to_text(self.npm)}),
        }
        return "{\n" + ",\n".join(f" {_json(key)}: {value}" for key, value in lines.items()) + "\n}\n"

    def _packages(self) -> list[dict[str, Any]]:
        """Return every wheel once, as JSON has it, with the targets that have it, sorted by name, version and file."""
        found: dict[str, tuple[LockedPackage, dict[str, tuple[Clause, ...]]]] = {}
        for locked in self.targets:
            for package in locked.packages:
                found.setdefault(package.wheel.filename, (package, {}))[1][locked.target.key] = package.when
        for package in self.tools:
            found.setdefault(package.wheel.filename, (package, {}))
        keys = [locked.target.key for locked in self.targets]
        ordered = sorted(found.values(), key=lambda item: (item[0].name, item[0].version, item[0].wheel.filename))
        return [
            {
                "name": package.name,
                "version": package.version,
                "wheel": package.wheel.filename,
                **_when_to_json(when, keys),
                **_wheel_to_json(self.wheels[package.wheel.filename], [key for key in keys if key in when] or keys),
            }
            for package, when in ordered
        ]

    @classmethod
    def from_file(cls, path: Path) -> Lock:
        """Read a lock.

        Raises:
            InputError: where there is none, it is no lock, or it has a format that this nixgen does not know.
        """
        text = ""
        try:
            text = path.read_text(encoding="utf-8")
            data = json.loads(text)
        except FileNotFoundError:
            raise InputError("there is no lock", where=str(path), todo="run `nixgen lock`") from None
        except (OSError, ValueError) as error:
            conflict = _CONFLICT.search(text)
            what = "the lock has a conflict of a merge in it" if conflict else f"cannot read the lock: {error}"
            line = f":{text.count(chr(10), 0, conflict.end()) + 1}" if conflict else ""
            raise InputError(what, where=f"{path}{line}", todo=_REPAIR) from error
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
        tools: list[LockedPackage] = []
        packages: dict[str, list[LockedPackage]] = {key: [] for key in map(_key, data["targets"])}
        for package in data["packages"]:
            wheel = wheels[package["wheel"]] = _wheel_from_json(package, packages)
            locked = LockedPackage(name=package["name"], version=package["version"], wheel=wheel.source)
            wanted = _when_from_json(package, packages)
            for key, when in wanted.items():
                packages[key].append(replace(locked, when=when))
            if not wanted:
                tools.append(locked)
        return cls(
            targets=tuple(_target_from_json(target, packages[_key(target)]) for target in data["targets"]),
            wheels=wheels,
            tools=tuple(tools),
            extras=tuple(data["extras"]),
            groups=tuple(data["groups"]),
            default_groups=tuple(data["defaultGroups"]),
            members=tuple(data.get("members", ())),
            inputs=dict(data.get("inputs", {})),
            npm=_npm().section_from_json(data["npm"]) if "npm" in data else None,
        )


def _npm() -> ModuleType:
    # Imported where a lock has something of npm: most have not.
    from .npm import lock

    return lock


def _target_to_json(locked: TargetLock) -> dict[str, Any]:
    target = locked.target
    return {
        "python": target.python,
        "fullVersion": target.full_version,
        "system": target.system,
        "libc": "{} {}.{}".format(target.libc, *target.floor),
        **({"prefer": dict(sorted(locked.prefer.items()))} if locked.prefer else {}),
    }


def _target_to_text(locked: TargetLock) -> str:
    """Return a target on a line; on another, the Python that is fetched for it."""
    parts = [_target_to_json(locked), *([{"interpreter": asdict(locked.archive)}] if locked.archive else [])]
    return "{" + ",\n   ".join(_json(part)[1:-1] for part in parts) + "}"


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
        archive=_archive_from_json(data["interpreter"]) if "interpreter" in data else None,
        packages=tuple(packages),
    )


def _archive_from_json(data: Mapping[str, Any]) -> PythonArchive:
    if len(data["sha256"]) != _DIGEST_LENGTH:
        raise ValueError(f"{data['url']} has no hash but {data['sha256']!r}")
    return PythonArchive(url=data["url"], sha256=data["sha256"])


def _when_to_json(when: Mapping[str, tuple[Clause, ...]], keys: list[str]) -> dict[str, Any]:
    """Return which targets have a package, and when; all of them always, where nothing is said."""
    if not when:
        return {"targets": []}
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


def _wheel_to_json(wheel: LockedWheel, keys: Iterable[str]) -> dict[str, Any]:
    source = wheel.source
    placement = _overrides_to_json(wheel.overrides)
    return {
        **({"placement": placement} if placement else {}),
        **_build_to_json(wheel.build, keys),
        **_place_to_json(source),
        **({} if wheel.index is None else {"index": wheel.index}),
        **({"verified": True} if wheel.verified else {}),
    }


def _place_to_json(source: WheelSource) -> dict[str, Any]:
    """Return where a wheel comes from: its own place and hash, or those of its source."""
    if source.source is not None:
        return {
            "source": _source_to_json(source.source),
            **({"direct": True} if source.source.direct else {}),
        }
    return {
        **({"url": source.url} if source.url is not None else {"path": source.path}),
        "sha256": source.sha256,
        "size": source.size,
        **({"direct": True} if source.direct else {}),
    }


def _source_to_json(source: Source) -> dict[str, Any]:
    fields = ("url", "path", "repository", "directory", "commit", "revision", "subdirectory", "sha256", "size")
    return {name: value for name in fields if (value := getattr(source, name))}


def _build_to_json(build: Build | None, keys: Iterable[str]) -> dict[str, Any]:
    if build is None:
        return {}
    requires = {key: list(build.requires.get(key, ())) for key in keys}
    (first, *others) = requires.values()
    settings = build.settings
    said = {
        "env": dict(sorted(settings.env.items())),
        "configSettings": {
            name: value if isinstance(value, str) else list(value)
            for name, value in sorted(settings.config_settings.items())
        },
        "packages": list(settings.packages),
        "programs": list(settings.programs),
        "added": list(settings.requires),
    }
    return {
        "build": {
            "backend": build.backend,
            **({"backendPath": list(build.backend_path)} if build.backend_path else {}),
            "needs": list(build.needs),
            **{name: value for name, value in said.items() if value},
            "requires": requires if any(other != first for other in others) else first,
        }
    }


def _wheel_from_json(data: Mapping[str, Any], keys: Iterable[str]) -> LockedWheel:
    source, direct = data.get("source"), data.get("direct", False) is True
    for key in ("sha256", "index") if source is None else ("index",) if "index" in data else ():
        if not isinstance(data[key], str) or len(data[key]) != _DIGEST_LENGTH:
            raise ValueError(f"{data['wheel']} has no hash as {key} but {data[key]!r}")
    return LockedWheel(
        source=WheelSource(
            filename=data["wheel"],
            url=data.get("url"),
            path=data.get("path"),
            source=None if source is None else Source(**source, direct=direct),
            direct=direct and source is None,
            sha256=None if source is not None else data["sha256"],
            size=None if source is not None else data["size"],
        ),
        name=data["name"],
        index=data.get("index"),
        verified=data.get("verified", False) is True,
        overrides=_overrides_from_json(data.get("placement", {})),
        build=None if source is None else _build_from_json(data, keys),
    )


def _build_from_json(package: Mapping[str, Any], keys: Iterable[str]) -> Build:
    data = package["build"]
    requires = data["requires"]
    if isinstance(requires, list):
        requires = dict.fromkeys(keys, requires)
    settings = {
        name: value if isinstance(value, str) else tuple(value)
        for name, value in data.get("configSettings", {}).items()
    }
    return Build(
        backend=data["backend"],
        backend_path=tuple(data.get("backendPath", ())),
        needs=tuple(data["needs"]),
        requires={key: tuple(wheels) for key, wheels in requires.items()},
        settings=BuildSettings(
            requires=tuple(data.get("added", ())),
            env=data.get("env", {}),
            config_settings=settings,
            packages=tuple(data.get("packages", ())),
            programs=tuple(data.get("programs", ())),
            accept="index" not in package and "directory" not in package["source"],
        ),
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
    """Return a package on three lines: what it is, where its wheel is, its hashes; one more where it is built."""
    lines = (("build",), ("url", "path", "source"), ("sha256", "size", "index", "verified"))
    elsewhere = {name for line in lines for name in line}
    parts = [{key: value for key, value in package.items() if key not in elsewhere}]
    parts += [{key: package[key] for key in line if key in package} for line in lines]
    return "{" + ",\n   ".join(_json(part)[1:-1] for part in parts if part) + "}"


def _listed(items: Iterable[str]) -> str:
    lines = ",\n".join(f"  {item}" for item in items)
    return f"[\n{lines}\n ]" if lines else "[]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
