"""A project, locked."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from nixgen import inputs
from nixgen.access import Access
from nixgen.emit.default import is_our_default
from nixgen.emit.project import Files
from nixgen.errors import NixgenError, UsageError
from nixgen.fingerprint import changed
from nixgen.indexes import VENDORED, vendored_name
from nixgen.inputs import Inputs
from nixgen.inputs.options import ResolverOptions
from nixgen.inputs.sources import relative_to
from nixgen.lock import Lock
from nixgen.locking import overlaps
from nixgen.locking.format1 import Format1
from nixgen.locking.indexes import indexes_of, wheels_of
from nixgen.locking.kinds import kinds_of
from nixgen.locking.locked_for import locked_for
from nixgen.locking.older import check_pythons
from nixgen.locking.overlaps import requirements_of
from nixgen.locking.secrets import Secrets
from nixgen.locking.targets import Wish, lacking
from nixgen.model import Built, PythonArchive, Selection, Source, Traffic, WheelIndex, WheelSource
from nixgen.names import LOCK_NAME, NIX_DIRECTORY
from nixgen.observer import SILENT, Observer
from nixgen.plan import plan
from nixgen.settings import Settings
from nixgen.targets import Target
from nixgen.wheels.text import index_bytes, index_hash

if TYPE_CHECKING:
    from nixgen.npm.locking import NpmLocked


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to lock, as a user describes it.

    Attributes:
        base: the project's directory.
        inputs: a lock, a project or requirements files; none to look in the project's directory.
        targets: what is said of them.
        extras, groups: the only ones to lock; None for all.
        resolver: how uv resolves.
        vendor: whether to write the indexes of the wheels into the project; where they are, they are renewed anyway.
        verify: whether to download every wheel and check every file against its RECORD.
        mirrors: from where wheels are read in place of their URLs, which the lock has all the same.
    """

    base: Path
    inputs: Sequence[Path] = ()
    targets: Wish = field(default_factory=Wish)
    extras: Sequence[str] | None = None
    groups: Sequence[str] | None = None
    resolver: ResolverOptions = field(default_factory=ResolverOptions)
    vendor: bool = False
    verify: bool = False
    mirrors: Sequence[str] = field(default=(), repr=False)

    @property
    def changes_nothing(self) -> bool:
        """Whether it asks for no more than what is locked already."""
        said = (self.inputs, self.targets, self.extras, self.groups)
        upgrades = self.resolver.upgrade or self.resolver.upgrade_packages
        return said == ((), Wish(), None, None) and not upgrades and not self.verify


@dataclass(frozen=True, kw_only=True)
class Locked:
    """A lock that was made, and what making it cost.

    Attributes:
        files: what the project gets.
        indexes: the index of each of its wheels, by file name.
        traffic: bytes read of wheels.
        changed: the files and directories of the project that are not as the lock has them.
        previous: the lock of before; None where there was none.
        npm: what was locked of npm; None where there is nothing.
    """

    files: Files
    indexes: Mapping[str, WheelIndex]
    traffic: Traffic
    changed: Sequence[Path]
    previous: Lock | None
    npm: NpmLocked | None = None


def make_lock(request: Request, observer: Observer = SILENT) -> Locked:
    """Make the lock of a project, and write nothing.

    Versions of an existing lock are kept unless the request says otherwise.

    Raises:
        NixgenError: with what stands in the way.
    """
    if not request.base.is_dir():
        raise UsageError(
            "there is no such directory", where=str(request.base), todo="give the project's directory with -C"
        )
    kinds = kinds_of(request.base, request.inputs, observer)
    settings = Settings.read(request.base / "pyproject.toml")
    if kinds.others:
        made = _make_python(replace(request, inputs=kinds.inputs), settings, observer)
    else:
        previous = _previous(request.base / LOCK_NAME)
        empty = Files(lock=Lock(targets=(), wheels={}))
        made = Locked(files=empty, indexes={}, traffic=Traffic(), changed=(), previous=previous)
    if kinds.npm is None:
        return made
    # Imported here: most locks have nothing of npm.
    from nixgen.npm.locking import lock_npm, urls_with_login

    npm = lock_npm(
        kinds.npm,
        base=request.base,
        settings=settings.npm,
        previous=None if made.previous is None else made.previous.npm,
        access=Access.of_project(request.base, urls=urls_with_login(kinds.npm), mirrors=request.mirrors),
        observer=observer,
    )
    lock = replace(made.files.lock, npm=npm.section, inputs={**made.files.lock.inputs, **npm.inputs})
    files = replace(made.files, lock=lock)
    return replace(made, files=files, changed=files.changes(request.base), npm=npm)


def _make_python(request: Request, settings: Settings, observer: Observer) -> Locked:
    """Make the lock of what a project has beside npm's packages."""
    resolver = request.resolver
    request = replace(
        request,
        resolver=replace(
            resolver,
            no_build=resolver.no_build or settings.no_build,
            from_source=tuple(dict.fromkeys([*resolver.from_source, *settings.from_source])),
        ),
    )
    old = Format1.read(request.base / LOCK_NAME)
    previous = old.lock if old else _previous(request.base / LOCK_NAME)
    request = replace(request, resolver=replace(request.resolver, built=_built_before(request, previous)))
    targets, archives = locked_for(request, previous, settings, observer)
    if old and request.changes_nothing:
        read = Inputs(
            selections=_selections(old.lock),
            origin=LOCK_NAME,
            notes=(
                "the lock had format 1, with every file of every wheel: it is written anew with the same packages, "
                "and nothing was resolved",
            ),
        )
    else:
        with observer.waiting("resolving"):
            read = inputs.read(
                request.inputs,
                targets=targets,
                base=request.base,
                extras=request.extras,
                groups=request.groups,
                preferences=_versions(previous),
                options=request.resolver,
            )
    for note in read.notes:
        observer.note(note)
    observer.read(read.origin, targets)
    if _builds_with_machine(request.base):
        for note in lacking(target for target in targets if target.key not in archives):
            observer.note(note)
    provider = request.resolver.keyring_provider
    access = Access.of_project(
        request.base,
        urls=read.urls_with_login,
        indexes=read.indexes,
        keyring=None if provider is None else provider == "subprocess",
        mirrors=request.mirrors,
    )

    spent: list[Traffic] = []

    def read_indexes(sources: Mapping[str, WheelSource]) -> dict[str, WheelIndex]:
        indexes, traffic = indexes_of(
            sources,
            previous,
            base=request.base,
            verify=request.verify,
            access=access,
            unseen=secrets.shortened,
            observer=observer,
        )
        spent.append(traffic)
        return indexes

    wanted = wheels_of(read.selections.values())
    secrets = Secrets.of(read, access.credentials, request.base)
    for note in secrets.notes(wanted):
        observer.note(note)
    try:
        built = _built(request, read.selections, targets, previous, settings, read_indexes, access, observer, archives)
        selections = built.selections
        indexes = read_indexes(wheels_of([*selections.values(), Selection(packages=built.tools)]))
    except NixgenError as error:
        secrets.explain(error, wanted)
        raise
    indexes |= built.indexes
    if old and request.changes_nothing:
        old.check(indexes.values())
    for index in indexes.values():
        for warning in index.warnings:
            observer.warning(f"{index.source.filename}: {warning}")
    check_pythons(selections, targets, indexes)
    verified = indexes.keys() if request.verify else _still_verified(previous, indexes)
    asked: dict[str, frozenset[str]] = {}

    def requires(names: Sequence[str]) -> Mapping[str, frozenset[str]]:
        lacking = [name for name in names if name not in asked]
        asked.update(requirements_of(lacking, indexes.values(), base=request.base, access=access))
        return asked

    planned = plan(
        selections,
        targets,
        indexes,
        settings.prefer,
        settings.placement,
        verified,
        requires if settings.overlaps else None,
        built,
    )
    with_pythons = (replace(locked, archive=archives.get(locked.target.key)) for locked in planned.targets)
    lock = replace(planned, targets=tuple(with_pythons), inputs=read.files)
    if any(locked.prefer for locked in lock.targets):
        said = {
            path
            for locked in lock.targets
            for path in locked.prefer
            if any(fnmatch.fnmatchcase(path, pattern) for pattern in settings.prefer)
        }
        for note in overlaps.notes(lock, indexes, said, asked):
            observer.note(note)
    names = {wheel.name for wheel in lock.wheels.values() if wheel.build is not None}
    for note in settings.unmet(indexes.values(), names):
        observer.note(note)
    files = Files(lock=lock, vendored=_vendored(request, lock, indexes, previous))
    return Locked(
        files=files,
        indexes=indexes,
        traffic=Traffic(read=sum(one.read for one in spent), total=sum(one.total for one in spent)),
        changed=files.changes(request.base),
        previous=previous,
    )


def lock_project(request: Request, observer: Observer = SILENT) -> Locked:
    """Lock a project: write nixgen.lock and nix/.

    Raises:
        NixgenError: as ``make_lock``; nothing is written then.
    """
    made = make_lock(request, observer)
    made.files.write(request.base)
    return made


def _builds_with_machine(base: Path) -> bool:
    """Tell whether nothing chooses another Python than the machine's, as a flake or a user's own file may."""
    default = base / NIX_DIRECTORY / "default.nix"
    return not (base / "flake.nix").exists() and (not default.is_file() or is_our_default(default))


def _built(
    request: Request,
    selections: Mapping[str, Selection],
    targets: Sequence[Target],
    previous: Lock | None,
    settings: Settings,
    index: Callable[[Mapping[str, WheelSource]], Mapping[str, WheelIndex]],
    access: Access,
    observer: Observer,
    archives: Mapping[str, PythonArchive],
) -> Built:
    """Return the selections with wheels for what has to be built, and what that took."""
    if not any(package.wheel.source for selection in selections.values() for package in selection.packages):
        return Built(selections=selections)
    # Imported here: most locks build nothing.
    from nixgen.sources.requirements import Requirements
    from nixgen.sources.workshop import Workshop

    resolver = request.resolver
    return Workshop(
        base=request.base,
        previous=previous,
        settings=settings.builds,
        requirements=Requirements(base=request.base, options=resolver, constraints=settings.build_constraints),
        index=index,
        verify=request.verify,
        again=None if resolver.upgrade else map(canonicalize_name, resolver.upgrade_packages),
        access=access,
        observer=observer,
        archives=archives,
    ).build(selections, targets)


def _built_before(request: Request, previous: Lock | None) -> tuple[str, ...]:
    """Return the packages that the existing lock has built of source distributions, and that are wanted as before."""
    resolver = request.resolver
    if previous is None or resolver.upgrade or changed(previous.inputs, request.base):
        return ()
    if any(relative_to(request.base, path, absolute=False) not in previous.inputs for path in request.inputs):
        return ()
    anew = set(map(canonicalize_name, resolver.upgrade_packages))
    sources = {package.name: package.wheel.source for locked in previous.targets for package in locked.packages}
    return tuple(sorted(name for name, source in sources.items() if name not in anew and _is_of_index(name, source)))


def _is_of_index(name: str, source: Source | None) -> bool:
    """Tell whether a source is called as a source distribution is: of other archives uv may read what they need."""
    filename = "" if source is None else (source.url or source.path or "").rpartition("/")[2]
    return canonicalize_name(filename.rpartition("-")[0]) == name


def _vendored(
    request: Request, lock: Lock, indexes: Mapping[str, WheelIndex], previous: Lock | None
) -> Mapping[str, bytes] | None:
    """Return the indexes that the project gets: of what was built always, for nobody else has them; else as asked."""
    place = request.base / VENDORED
    built = {name for name, wheel in lock.wheels.items() if wheel.build is not None and wheel.index is not None}
    before = {name for name, wheel in previous.wheels.items() if wheel.build is not None} if previous else set()
    there = {path.name for path in place.iterdir()} if place.is_dir() else set()
    if request.vendor or there - {vendored_name(name) for name in before}:
        built = {name for name, wheel in lock.wheels.items() if wheel.index is not None}
    if not built and not there:
        return None
    return {vendored_name(wheel): index_bytes(indexes[wheel]) for wheel in sorted(built)}


def _still_verified(previous: Lock | None, indexes: Mapping[str, WheelIndex]) -> set[str]:
    """Return the wheels that were verified when the existing lock was made, and are the same."""
    held = previous.wheels if previous is not None else {}
    return {
        name
        for name, index in indexes.items()
        if (wheel := held.get(name)) is not None
        and wheel.verified
        and (wheel.source.sha256, wheel.index) == (index.source.sha256, index_hash(index))
    }


def _selections(lock: Lock) -> dict[str, Selection]:
    return {
        locked.target.key: Selection(
            packages=locked.packages, extras=lock.extras, groups=lock.groups, default_groups=lock.default_groups
        )
        for locked in lock.targets
    }


def _previous(path: Path) -> Lock | None:
    """Return the existing lock, for its versions, targets and indexes; None where there is none.

    Raises:
        InputError: there is one that cannot be used: what it pins would be lost.
    """
    return Lock.from_file(path) if path.exists() else None


def _versions(previous: Lock | None) -> dict[str, str]:
    if previous is None:
        return {}
    return {package.name: package.version for locked in previous.targets for package in locked.packages}
