"""Locks that name versions and hashes, and not where the files are: uv finds the files of exactly these versions.

Nothing is resolved: uv is asked for each version by itself (``--no-deps``), and of what it finds, the files stay that
have a hash of the lock's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.markers import Marker
from packaging.pylock import Package, Pylock
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from nixgen.errors import InputError
from nixgen.inputs import running
from nixgen.inputs.conditions import when
from nixgen.inputs.hashes import Hashes, Named
from nixgen.inputs.local import LocalWheels
from nixgen.inputs.options import ResolverOptions
from nixgen.inputs.pylock import Choice, check_python, choose, parse, restrict
from nixgen.targets import Target
from nixgen.temporary import temporary_directory


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A version that a lock names.

    Attributes:
        name: normalized.
        version: as the lock spells it.
        marker: when it is wanted, as in a PEP 751 lock (``extras`` and ``dependency_groups`` among its names); None
            for always.
        sha256: the hashes of its files, lower-case hexadecimal; empty where the lock names none.
        direct: where it comes from where that is no index: a repository, a directory or an archive.
    """

    name: NormalizedName
    version: str
    marker: Marker | None = None
    sha256: frozenset[str] = frozenset()
    direct: Package | None = None


@dataclass(frozen=True, kw_only=True)
class PinnedLock:
    """A lock of another tool.

    Attributes:
        path: the file.
        tool: who wrote it, as a user calls it.
        again: the command that makes it again.
        pins: the versions for a target, each name and version once.
        requires_python: the Pythons it is for; None for any.
        extras, groups: what a user may choose later.
        default_groups: the groups that the tool installs unless it is told otherwise.
        indexes: URLs, or ``NAME=URL``, of the indexes that it takes files from, beside the user's own.
        files: what else decides whether it is up to date.
    """

    path: Path
    tool: str
    again: str
    pins: Callable[[Target], Sequence[Pin]]
    requires_python: SpecifierSet | None = None
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    default_groups: tuple[str, ...] = ()
    indexes: tuple[str, ...] = field(default=(), repr=False)
    files: tuple[Path, ...] = ()


def read_pinned(
    lock: PinnedLock,
    targets: Sequence[Target],
    *,
    where: str,
    base: Path,
    extras: Sequence[str] | None,
    groups: Sequence[str] | None,
    options: ResolverOptions,
    local: LocalWheels,
) -> tuple[dict[str, Choice], list[str]]:
    """Return what every target takes from another tool's lock, and notes.

    Args:
        lock: the lock.
        targets: what to lock for.
        where: its name, for errors.
        base: what paths in the result start from.
        extras, groups: the only ones to lock; None for all.
        options: the indexes.
        local: wheels on disk that are taken in place of those.

    Raises:
        InputError: it is not for a target, or an index does not have a version of it.
        VerificationError: a package has no file with a hash of the lock's.
        UsageError: an extra or group is asked for that it does not have.
        NetworkError: uv cannot reach an index.
    """
    notes: list[str] = []
    if options.upgrade or options.upgrade_packages:
        notes.append(f"{where} decides the versions: upgrade them with {lock.tool}")
    kept = (
        *(f"extra:{name}" for name in restrict(lock.extras, extras, "extra", where=where)),
        *(f"group:{name}" for name in restrict(lock.groups, groups, "group", where=where)),
    )
    wanted: dict[str, list[Pin]] = {}
    for target in targets:
        if lock.requires_python is not None:
            check_python(lock.requires_python, target, where=where)
        environment = target.environment()
        wanted[target.key] = [
            pin
            for pin in lock.pins(target)
            if when(pin.marker, environment, kept, where=f"{where}, package {pin.name}")
        ]
    choices: dict[str, Choice] = {}
    for python in dict.fromkeys(target.full_version for target in targets):
        of_python = [target for target in targets if target.full_version == python]
        pins = [pin for target in of_python for pin in wanted[target.key]]
        found = _find(lock, pins, python, where=where, options=options, notes=notes)
        for target in of_python:
            packages = [replace(found[pin.name, pin.version], marker=pin.marker) for pin in wanted[target.key]]
            choices[target.key] = choose(
                Pylock(
                    lock_version=Version("1.0"),
                    created_by="nixgen",
                    extras=[*lock.extras],  # type: ignore[list-item]
                    dependency_groups=[*lock.groups],
                    default_groups=[*lock.default_groups],
                    packages=packages,
                ),
                target,
                where=where,
                directory=lock.path.parent,
                base=base,
                extras=extras,
                groups=groups,
                local=local,
                from_source=options.from_source,
            )
    return choices, notes


def merged(pins: Iterable[Pin]) -> list[Pin]:
    """Return pins with each name and version once: wanted where any of them is, with all their hashes."""
    found: dict[tuple[str, str], Pin] = {}
    for pin in pins:
        other = found.setdefault((pin.name, pin.version), pin)
        if other is not pin:
            either = None if other.marker is None or pin.marker is None else any_of([other.marker, pin.marker])
            found[pin.name, pin.version] = replace(other, marker=either, sha256=other.sha256 | pin.sha256)
    return list(found.values())


def any_of(markers: Iterable[Marker]) -> Marker:
    """Return a marker that holds where one of some does; at least one."""
    return Marker(" or ".join(f"({text})" for text in dict.fromkeys(map(str, markers))))


def all_of(markers: Iterable[Marker | None]) -> Marker | None:
    """Return a marker that holds where all of some do; None for always."""
    texts = list(dict.fromkeys(str(marker) for marker in markers if marker is not None))
    return Marker(" and ".join(f"({text})" for text in texts)) if texts else None


def _find(
    lock: PinnedLock, pins: Sequence[Pin], python: str, *, where: str, options: ResolverOptions, notes: list[str]
) -> dict[tuple[str, str], Package]:
    """Return the packages of some pins with their files, by name and version as the pins have them."""
    found: dict[tuple[str, str], Package] = {
        (pin.name, pin.version): pin.direct for pin in pins if pin.direct is not None
    }
    distinct = {(pin.name, pin.version): pin for pin in pins if pin.direct is None}
    options = replace(
        options,
        index=(*options.index, *lock.indexes),
        # A file is recognized by its hash: whichever index has it is right.
        index_strategy=options.index_strategy or ("unsafe-best-match" if lock.indexes else None),
    )
    for layer in _layers(distinct.values()):
        resolved = _ask(lock, layer, python, where=where, options=options, notes=notes)
        by_name = {package.name: package for package in resolved.packages}
        for pin in layer:
            package = by_name.get(pin.name)
            if package is None:
                raise InputError(
                    f"uv does not find {pin.name} {pin.version}",
                    where=where,
                    todo=f"make the lock again: `{lock.again}`",
                )
            found[pin.name, pin.version] = package
    return found


def _layers(pins: Iterable[Pin]) -> list[list[Pin]]:
    """Return pins in as few lists as have no name twice."""
    layers: list[dict[str, Pin]] = []
    for pin in pins:
        layer = next((layer for layer in layers if pin.name not in layer), None)
        if layer is None:
            layers.append(layer := {})
        layer[pin.name] = pin
    return [list(layer.values()) for layer in layers]


def _ask(
    lock: PinnedLock, pins: Sequence[Pin], python: str, *, where: str, options: ResolverOptions, notes: list[str]
) -> Pylock:
    """Return what uv finds of some versions, with the files that have one of their hashes; note what uv warns of."""
    named: dict[tuple[NormalizedName, str], Named] = {
        (pin.name, str(Version(pin.version))): Named(where=where, sha256=pin.sha256) for pin in pins if pin.sha256
    }
    with temporary_directory() as created:
        scratch = created.resolve()
        asked, output = scratch / "requirements.txt", scratch / "pylock.toml"
        asked.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in pins), encoding="utf-8")
        arguments = [
            *("pip", "compile", os.fspath(asked), "--universal", "--no-deps", "--format", "pylock.toml"),
            *("--no-header", "--python", sys.executable, "--python-version", python),
            *("--output-file", os.fspath(output), "--prerelease", "allow"),
            *replace(options, prerelease=None, resolution=None).shared_arguments(),
            *options.extra,
        ]
        try:
            directory = lock.path.absolute().parent
            running.run(arguments, cwd=directory, variables=options.environment(), warnings=notes)
        except running.UvFailure as failure:
            raise running.explain(failure, where) from failure
        found = parse(output.read_text(encoding="utf-8"), where=f"{where} (found by uv)")
    return Hashes(named=named).restrict(found)


def hashes_of(files: Iterable[Mapping[str, object]], key: str = "hash") -> frozenset[str]:
    """Return the SHA-256 of files as locks list them: tables with ``sha256:…``."""
    texts = (str(file.get(key, "")) for file in files)
    return frozenset(text.partition(":")[2].lower() for text in texts if text.startswith("sha256:"))
