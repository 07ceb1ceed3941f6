"""What a PEP 751 lock holds for a target."""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from packaging.markers import InvalidMarker, Marker
from packaging.pylock import Package, Pylock, PylockUnsupportedVersionError, PylockValidationError
from packaging.specifiers import SpecifierSet
from packaging.tags import create_compatible_tags_selector
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from nixgen.errors import InputError, UsageError
from nixgen.inputs.conditions import when
from nixgen.inputs.local import LocalWheels
from nixgen.inputs.sources import Found, Unusable, pick
from nixgen.model import ALWAYS, LockedPackage, Selection
from nixgen.targets import Target
from nixgen.targets.tags import tags

#: The Pythons that an error may propose, as minor versions of Python 3.
_PROPOSED_MINORS = range(10, 16)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What one target takes from a lock.

    Attributes:
        selection: the packages with their wheels.
        unusable: the packages without one; where there are any, the selection is incomplete.
        notes: what the user should know, one line each.
        urls_with_login: URLs of wheels that carry a login or another secret, for ``credentials``.
    """

    selection: Selection
    unusable: tuple[Unusable, ...] = ()
    notes: tuple[str, ...] = ()
    urls_with_login: tuple[str, ...] = ()


def parse(text: str, *, where: str) -> Pylock:
    """Read and validate the text of a lock (PEP 751).

    Args:
        text: the file's content.
        where: its name, for errors.

    Raises:
        InputError: it is no TOML, breaks the specification, or has a version nixgen does not know.
    """
    todo = "make the lock again with the tool that wrote it"
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the lock is no TOML: {error}", where=where, todo=todo) from error
    try:
        fileless = _take_fileless(data)
        lock = Pylock.from_dict(data)
        return replace(lock, packages=[*lock.packages, *fileless])
    except PylockUnsupportedVersionError as error:
        raise InputError(str(error), where=where, todo="make a lock of version 1.0") from error
    except PylockValidationError as error:
        context = f"{where}, {error.context}" if error.context else where
        raise InputError(f"the lock is not valid: {error.message}", where=context, todo=todo) from error
    except (InvalidMarker, InvalidVersion) as error:
        raise InputError(f"the lock is not valid: {error}", where=where, todo=todo) from error


def choose(
    lock: Pylock,
    target: Target,
    *,
    where: str,
    directory: Path,
    base: Path,
    extras: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    local: LocalWheels | None = None,
    from_source: Container[str] = (),
) -> Choice:
    """Return what a target takes from a lock, for every combination of extras and groups at once.

    Args:
        lock: the lock.
        target: what the wheels must fit.
        where: the lock's name, for errors.
        directory: the lock's directory: what its relative paths start from.
        base: what paths in the result start from.
        extras: the extras a user may choose later; None for all that the lock holds.
        groups: the dependency groups, likewise.
        local: wheels on disk that are taken in place of the lock's.
        from_source: names of packages whose source distribution is preferred.

    Raises:
        InputError: the lock is not for the target, or is ambiguous for it.
        UsageError: an extra or a group is asked for that the lock does not hold.
    """
    _check_target(lock, target, where)
    if local is not None:
        lock = local.take(lock, where=where)
    kept_extras = restrict(lock.extras or (), extras, "extra", where=where)
    kept_groups = restrict(lock.dependency_groups or (), groups, "group", where=where)
    choosable = [*(f"extra:{name}" for name in kept_extras), *(f"group:{name}" for name in kept_groups)]
    environment, fitting = target.environment(), create_compatible_tags_selector(tags(target))

    packages: list[LockedPackage] = []
    unusable: list[Unusable] = []
    notes: list[str] = []
    urls_with_login: list[str] = []
    for package in lock.packages:
        clauses = when(package.marker, environment, choosable, where=f"{where}, package {package.name}")
        if not clauses:
            continue
        if package.requires_python:
            check_python(package.requires_python, target, where=f"{where}, package {package.name}")
        found = pick(package, fitting, directory=directory, base=base, where=where, from_source=from_source)
        if isinstance(found, Found):
            packages.append(LockedPackage(name=package.name, version=found.version, wheel=found.wheel, when=clauses))
            if found.url_with_login is not None:
                urls_with_login.append(found.url_with_login)
        else:
            unusable.append(found)
    _check_unique(packages, target, where)

    default_groups = {canonicalize_name(name) for name in lock.default_groups or ()}
    return Choice(
        selection=Selection(
            packages=tuple(sorted(packages, key=lambda package: (package.name, package.version, package.when))),
            extras=tuple(kept_extras),
            groups=tuple(kept_groups),
            default_groups=tuple(name for name in kept_groups if name in default_groups),
        ),
        unusable=tuple(unusable),
        notes=tuple(notes),
        urls_with_login=tuple(urls_with_login),
    )


def without_wheel(choice: Choice) -> list[Unusable]:
    """Return the packages of a choice that would have to be built."""
    return [
        Unusable(name=package.name, version=package.version, reason=package.wheel.source.why)
        for package in choice.selection.packages
        if package.wheel.source is not None
    ]


def refuse(unusable: Iterable[tuple[Target, Unusable]], *, where: str) -> None:
    """Raise one error that lists every package without a wheel, over all targets; do nothing without any.

    Raises:
        InputError: there is at least one.
    """
    targets: dict[Unusable, list[str]] = {}
    for target, item in unusable:
        keys = targets.setdefault(item, [])
        if target.key not in keys:
            keys.append(target.key)
    if not targets:
        return
    lines = [
        f"    {f'{item.name} {item.version}'.strip()} ({', '.join(keys)}): {item.reason}"
        for item, keys in sorted(targets.items())
    ]
    what = "1 package has" if len(lines) == 1 else f"{len(lines)} packages have"
    raise InputError(
        "\n".join([f"{what} no wheel that can be used:", *lines]),
        where=where,
        todo="; ".join(dict.fromkeys(item.todo for item in sorted(targets))),
    )


def _take_fileless(data: dict[str, Any]) -> list[Package]:
    """Take the packages without any source out of a lock, and return them.

    uv writes a package so when it has wheels for other Pythons only. The specification forbids it, and
    ``packaging`` would refuse the whole lock even where no target selects the package.
    """
    tables = data.get("packages")
    if not isinstance(tables, list):
        return []
    sources = {"vcs", "directory", "archive", "sdist", "wheels"}
    fileless = [
        table
        for table in tables
        if isinstance(table, dict) and isinstance(table.get("name"), str) and not sources & table.keys()
    ]
    data["packages"] = [table for table in tables if table not in fileless]
    return [
        Package(
            name=canonicalize_name(table["name"]),
            version=Version(str(table["version"])) if "version" in table else None,
            marker=Marker(str(table["marker"])) if "marker" in table else None,
        )
        for table in fileless
    ]


def restrict(held: Iterable[str], asked: Sequence[str] | None, kind: str, *, where: str) -> list[str]:
    """Return the extras or groups a user may choose later, normalized and sorted.

    Args:
        held: what the input has.
        asked: what the user restricts it to, None for all.
        kind: ``extra`` or ``group``, for errors.
        where: the input, for errors.

    Raises:
        UsageError: something is asked for that the input does not have.
    """
    names: list[str] = sorted({canonicalize_name(name) for name in held})
    if asked is None:
        return names
    wanted: list[str] = sorted({canonicalize_name(name) for name in asked})
    if missing := [name for name in wanted if name not in names]:
        raise UsageError(
            f"there is no {kind} {', '.join(missing)}",
            where=where,
            todo=f"choose from: {', '.join(names)}" if names else f"it has no {kind}s; leave --{kind} away",
        )
    return wanted


def _check_target(lock: Pylock, target: Target, where: str) -> None:
    if lock.requires_python:
        check_python(lock.requires_python, target, where=where)
    environment = cast("dict[str, str]", target.environment())
    if lock.environments and not any(
        marker.evaluate(environment, context="requirement") for marker in lock.environments
    ):
        listed = "".join(f"\n    {marker}" for marker in lock.environments)
        raise InputError(
            f"the lock is not for {target}, only for:{listed}",
            where=where,
            todo="choose another --python or --system, or make the lock for this one",
        )


def check_python(specifiers: SpecifierSet, target: Target, *, where: str) -> None:
    """Do nothing where a target's Python is one of those.

    Raises:
        InputError: it is not; proposes one that would do.
    """
    if not specifiers.contains(target.full_version, prereleases=True):
        raise _wrong_python(specifiers, target, where)


def _wrong_python(specifiers: SpecifierSet, target: Target, where: str) -> InputError:
    """Return an error that proposes the lowest Python that would do, of the same minor version if any."""
    threads = "t" if target.free_threaded else ""
    own = target.version_info[1]
    proposals = (
        f"3.{minor}.{patch}"
        for minor in [own, *(other for other in _PROPOSED_MINORS if other != own)]
        for patch in range(31)
    )
    proposal = next((version for version in proposals if specifiers.contains(version)), None)
    return InputError(
        f"Python {specifiers} is needed, the target is {target}",
        where=where,
        todo=f"lock with --python {proposal}{threads}" if proposal else "choose a --python that fits",
    )


def _check_unique(packages: Iterable[LockedPackage], target: Target, where: str) -> None:
    always: dict[str, LockedPackage] = {}
    for package in packages:
        if package.when != ALWAYS:
            continue
        other = always.setdefault(package.name, package)
        if other is not package:
            raise InputError(
                f"{package.name} is in the lock twice for {target}: {other.version} and {package.version}",
                where=where,
                todo="correct their markers, or make the lock again",
            )
