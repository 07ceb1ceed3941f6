"""What an upgrade of one package fetches and adds, over all locks that have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nixgen.errors import InputError, UsageError
from nixgen.fleet.contents import Contents
from nixgen.fleet.fleet import Fleet, FleetWheel
from nixgen.fleet.holders import parse_requirement
from nixgen.fleet.search import Problem
from nixgen.fleet.versions import in_order, is_older
from nixgen.indexes import make_indexes
from nixgen.inputs import uv
from nixgen.inputs.options import ResolverOptions
from nixgen.inputs.pylock import choose
from nixgen.model import WheelSource
from nixgen.observer import SILENT, Observer
from nixgen.targets import Target
from nixgen.temporary import temporary_directory

if TYPE_CHECKING:
    from nixgen.access import Access

_EXAMPLE = "write it such as urllib3, for the newest, or urllib3==2.6.1"


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """What an upgrade comes to.

    Attributes:
        name: the package.
        versions: the new ones: one, unless the newest for some targets is another.
        holders: how many locks have the package, in any version.
        locks: paths of those that would change.
        replaced: how many of them have each version that would go.
        newer: how many have what is newer, or the version itself, and stay.
        wheels, fetch: how many wheels would be fetched, and their bytes.
        files, bytes: distinct contents of those.
        new_files, new_bytes: those of them that no lock of the fleet has yet: what the store would get.
        gone_files, gone_bytes: contents that only what is replaced has: what a collection could then take.
        problems: targets for which there is no such wheel.
    """

    name: str
    versions: tuple[str, ...]
    holders: int
    locks: tuple[str, ...]
    replaced: Mapping[str, int]
    newer: int
    wheels: int
    fetch: int
    files: int
    bytes: int
    new_files: int
    new_bytes: int
    gone_files: int
    gone_bytes: int
    problems: tuple[Problem, ...]


def parse_upgrade(text: str) -> Requirement:
    """Read what is to be upgraded: a name, and perhaps the version to take.

    Raises:
        UsageError: it is something else.
    """
    requirement = parse_requirement(text)
    specifiers = list(requirement.specifier)
    if len(specifiers) > 1 or any(one.operator != "==" or "*" in one.version for one in specifiers):
        raise UsageError(f"{text!r} does not say to which version", todo=_EXAMPLE)
    return requirement


def upgrade(
    fleet: Fleet,
    contents: Contents,
    requirement: Requirement,
    options: ResolverOptions,
    *,
    base: Path,
    access: Callable[[], Access | None] = lambda: None,
    observer: Observer = SILENT,
) -> Upgrade:
    """Return what an upgrade of a package comes to over all locks that have it.

    With a version, locks change that have another one; without, those that have an older one than the newest for their
    target. What the package asks for, and what asks for it, is not looked at; nor are packages that only builds need.

    Args:
        fleet: the locks.
        contents: what their archives hold; gets what the new wheels hold beside that.
        requirement: as ``parse_upgrade`` gives it.
        options: how uv resolves.
        base: the directory that uv runs in.
        access: says how servers are reached.
        observer: is told what goes on.

    Raises:
        InputError: no lock has the package, or no target has a wheel of it.
        NetworkError: an index does not answer.
        NixgenError: a new wheel cannot be read.
    """
    name = canonicalize_name(requirement.name)
    called = [(number, archive.kind) for number, archive in enumerate(fleet.archives) if archive.name == name]
    held = {number for number, kind in called if kind == "python"}
    having = [lock for lock in fleet.locks if any(lock.archives.get(number) for number in held)]
    if not having and called:
        raise InputError(
            f"{name} is a package of npm, and the index of Python is asked",
            where="--upgrade",
            todo="run `nixgen outdated` in its projects, which asks npm",
        )
    if not having:
        raise InputError(
            f"no lock has {name}", where="--upgrade", todo=f"see which packages there are: `nixgen fleet --has {name}`"
        )
    with observer.waiting("asking the index"):
        needed = {lock.targets[key] for lock in having for number in held for key in lock.archives.get(number, ())}
        wheels, problems = _wheels(requirement, needed, options, base)
    exact = next((one.version for one in requirement.specifier), None)
    changed: list[str] = []
    replaced: Counter[str] = Counter()
    going: dict[int, set[int]] = {}
    taken: dict[str, WheelSource] = {}
    versions: set[str] = set()
    for place, lock in enumerate(fleet.locks):
        old: set[str] = set()
        for number in held & lock.archives.keys():
            version = fleet.archives[number].version
            new = [wheels[lock.targets[key]] for key in lock.archives[number] if lock.targets[key] in wheels]
            wanted = [one for one in new if _changes(version, one[0], exact)]
            if not wanted:
                continue
            old.add(version)
            if len(wanted) == len(lock.archives[number]):
                going.setdefault(number, set()).add(place)
            versions |= {version for version, _ in wanted}
            taken |= {source.filename: source for _, source in wanted}
        if old:
            changed.append(lock.path)
            replaced.update(old)
    return _sums(
        fleet,
        contents,
        Upgrade(
            name=name,
            versions=in_order(versions or {version for version, _ in wheels.values()}),
            holders=len(having),
            locks=tuple(changed),
            replaced={version: replaced[version] for version in in_order(replaced)},
            newer=len(having) - len(changed),
            problems=tuple(problems),
            **dict.fromkeys(_COUNTED, 0),
        ),
        going,
        list(taken.values()),
        base=base,
        access=access,
    )


_COUNTED = ("wheels", "fetch", "files", "bytes", "new_files", "new_bytes", "gone_files", "gone_bytes")


def _changes(version: str, new: str, exact: str | None) -> bool:
    return version != new if exact is not None else is_older(version, new)


def _sums(
    fleet: Fleet,
    contents: Contents,
    found: Upgrade,
    going: Mapping[int, set[int]],
    sources: list[WheelSource],
    *,
    base: Path,
    access: Callable[[], Access | None],
) -> Upgrade:
    """Fill in what is fetched, added and left over."""
    known = {held.wheel.source.sha256 for held in fleet.archives if isinstance(held, FleetWheel)} - {None}
    before = len(contents.sizes)
    indexes = make_indexes(sources, base=base, access=access())[0] if sources else []
    new = {number for index in indexes for number in contents.add_wheel(index).numbers}
    left = {number for wheel in going for number in _numbers(contents, wheel)} - new
    for wheel in contents.archives:
        leaving = going.get(wheel, set())
        if left and any(wheel in lock.archives and place not in leaving for place, lock in enumerate(fleet.locks)):
            left.difference_update(_numbers(contents, wheel))
    fetched = [index.source for index in indexes if index.source.sha256 not in known]
    added = [number for number in new if number >= before]
    return replace(
        found,
        wheels=len(fetched),
        fetch=sum(source.size or 0 for source in fetched),
        files=len(new),
        bytes=_size(contents, new),
        new_files=len(added),
        new_bytes=_size(contents, added),
        gone_files=len(left),
        gone_bytes=_size(contents, left),
    )


def _numbers(contents: Contents, wheel: int) -> Sequence[int]:
    return contents.archives[wheel].numbers if wheel in contents.archives else ()


def _size(contents: Contents, numbers: Iterable[int]) -> int:
    return sum(contents.sizes[number] for number in numbers)


def _wheels(
    requirement: Requirement, targets: Iterable[Target], options: ResolverOptions, base: Path
) -> tuple[dict[Target, tuple[str, WheelSource]], list[Problem]]:
    """Return the version and the wheel that each target takes, and the targets that have none."""
    options = replace(
        options, constraints=(), overrides=(), extra=(*options.extra, "--no-deps"), upgrade=True, no_build=True
    )
    found, problems = {}, []
    failure: InputError | None = None
    with temporary_directory() as created:
        directory = created.resolve()
        file = directory / "requirements.txt"
        file.write_text(f"{requirement}\n", encoding="utf-8")
        for target in sorted(targets, key=str):
            try:
                resolution = uv.compile_requirements(
                    [str(file)],
                    python=target.full_version,
                    cwd=base,
                    where="the index",
                    options=options,
                    system=target,
                )
                chosen = choose(
                    resolution.lock, target, where="the index", directory=resolution.directory, base=directory
                )
                package = chosen.selection.packages[0]
                found[target] = package.version, package.wheel
            except InputError as error:
                failure = error
                problems.append(Problem(path=str(target), what=error.what.splitlines()[0], todo=error.todo or ""))
    if failure is not None and not found:
        raise failure
    return found, problems
