"""What the user wants, whatever file says so, as one selection per target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nixgen.credentials import NamedIndex
from nixgen.errors import NixgenError
from nixgen.fingerprint import fingerprints
from nixgen.inputs import uv
from nixgen.inputs.discover import Kind, beside, find_input, kind_of, passed_over, read_text
from nixgen.inputs.hashes import Hashes
from nixgen.inputs.local import LocalWheels, names_in
from nixgen.inputs.options import ResolverOptions
from nixgen.inputs.own import own_package
from nixgen.inputs.parts import by_system, read_project
from nixgen.inputs.pdm import read_pdm
from nixgen.inputs.pins import read_pinned
from nixgen.inputs.pipenv import read_pipenv
from nixgen.inputs.poetry import read_poetry
from nixgen.inputs.poetry_project import as_standard, is_poetry_project
from nixgen.inputs.project import Project, lock_of
from nixgen.inputs.pylock import Choice, choose, parse, refuse, restrict, without_wheel
from nixgen.inputs.script import check_script, lock_of_script, read_script
from nixgen.inputs.sources import relative_to
from nixgen.inputs.workspace import members_of, with_members
from nixgen.model import Selection
from nixgen.targets import Target
from nixgen.temporary import temporary_directory
from nixgen.uv_settings import UvSettings

__all__ = ["Inputs", "ResolverOptions", "find_input", "read"]


#: Who reads the lock of another tool.
_READERS = {Kind.POETRY: read_poetry, Kind.PDM: read_pdm, Kind.PIPENV: read_pipenv}


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What was read.

    Attributes:
        selections: what each target needs, by the target's key.
        origin: the input, relative to the base; several are separated by commas.
        notes: what the user should know, one line each.
        urls_with_login: URLs of wheels that carry a login or another secret; for ``Credentials``, never for a message.
        indexes: package indexes with names or logins, likewise.
        files: a hash of what each input says, by its path as the lock has it.
    """

    selections: Mapping[str, Selection]
    origin: str
    notes: tuple[str, ...] = ()
    urls_with_login: tuple[str, ...] = field(default=(), repr=False)
    indexes: tuple[NamedIndex, ...] = field(default=(), repr=False)
    files: Mapping[str, str] = field(default_factory=dict)


def read(
    paths: Sequence[Path],
    *,
    targets: Sequence[Target],
    base: Path,
    extras: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    preferences: Mapping[str, str] | None = None,
    options: ResolverOptions | None = None,
    held_back: bool = True,
) -> Inputs:
    """Read what is wanted, and choose a wheel of each package for every target.

    Args:
        paths: one lock, one project, one directory of wheels, or requirements files; and wheels; none to look in
            ``base``.
        targets: what to lock for.
        base: the directory of ``nixgen.lock``, which relative paths in the result start from.
        extras: restricts the extras that can be chosen later; None for all.
        groups: restricts the dependency groups likewise.
        preferences: versions to keep where uv resolves, by name.
        options: how uv resolves.
        held_back: whether uv is asked of requirements what newer versions have no wheel, for the notes.

    Raises:
        UsageError: the inputs do not go together, or lack an extra or group that is asked for.
        InputError: an input cannot be used, or packages have no wheel; lists all of those, over all targets.
        NetworkError: uv cannot reach an index.
    """
    options = options or ResolverOptions()
    named = bool(paths)
    local = LocalWheels.of((path for path in paths if path.suffix == ".whl"), options)
    given = [path for path in paths if path.suffix == ".whl"]
    paths = [path for path in paths if path not in given] or ([] if given else [find_input(base)])
    if len(paths) == 1:
        paths = [beside(paths[0])]
    kind = kind_of(paths) if paths else Kind.WHEELS
    origin = ", ".join(relative_to(base, path, absolute=False) for path in [*paths, *given])
    notes: list[str] = []
    indexes = options.indexes()
    files: Sequence[Path] = ()
    if kind is Kind.PYLOCK:
        choices = _read_pylock(
            paths[0],
            targets,
            where=origin,
            base=base,
            extras=extras,
            groups=groups,
            local=local,
            options=options,
        )
    elif kind in _READERS:
        lock = _READERS[kind](paths[0], where=origin)
        indexes += [NamedIndex.parse(text) for text in lock.indexes]
        files = lock.files
        choices, notes = read_pinned(
            lock, targets, where=origin, base=base, extras=extras, groups=groups, options=options, local=local
        )
    elif kind is Kind.PROJECT and is_poetry_project(paths[0]):
        choices, notes, more = _read_poetry_project(
            paths[0],
            targets,
            where=origin,
            base=base,
            extras=extras,
            groups=groups,
            preferences=preferences or {},
            options=options,
            local=local,
        )
        indexes += more
    elif kind is Kind.PROJECT:
        project = Project.read(paths[0].with_name("pyproject.toml"))
        indexes += [NamedIndex.parse(text) for text in project.indexes]
        choices, notes = read_project(
            project,
            targets,
            base=base,
            extras=extras,
            groups=groups,
            preferences=preferences or {},
            options=options,
            local=local,
        )
    else:
        for asked, name in ((extras, "extra"), (groups, "group")):
            restrict((), asked, name, where=origin)
        if kind is Kind.SCRIPT:
            check_script(paths[0], targets, where=origin)
            files = [lock_of_script(paths[0])]
        if kind is Kind.SCRIPT and lock_of_script(paths[0]).is_file():
            choices, notes = read_script(paths[0], targets, where=origin, base=base, options=options, local=local)
        else:
            choices, notes = _read_requirements(
                paths,
                targets,
                where=origin,
                base=base,
                preferences=preferences or {},
                options=options,
                local=local,
                held_back=held_back,
            )
    notes += local.notes(where=origin)
    if not named and (others := passed_over(paths[0])):
        notes.append(
            f"{', '.join(others)} {'is' if len(others) == 1 else 'are'} there too and not read: "
            f"`nixgen lock {others[0]}` would take {'it' if len(others) == 1 else 'that'}"
        )
    choices, more_notes = _with_project(choices, kind, paths, base=base, options=options)
    notes += more_notes
    members = members_of(paths[0]) if kind is Kind.PROJECT and paths else {}
    if members:

        def read_member(pyproject: Path) -> tuple[Mapping[str, Choice], Sequence[str]]:
            member, said = read_project(
                Project.read(pyproject),
                targets,
                base=base,
                extras=None,
                groups=None,
                preferences={},
                options=options,
                local=local,
            )
            own, more = _with_project(member, kind, [pyproject], base=base, options=options)
            return own, [*said, *more]

        choices, more_notes = with_members(choices, members, read_member)
        notes += more_notes
    by_key = {target.key: target for target in targets}
    unusable = [(by_key[key], item) for key, choice in choices.items() for item in choice.unusable]
    if options.no_build:
        unusable += [(by_key[key], item) for key, choice in choices.items() for item in without_wheel(choice)]
    refuse(unusable, where=origin)
    return Inputs(
        selections={key: choice.selection for key, choice in choices.items()},
        origin=origin,
        notes=tuple(dict.fromkeys([*notes, *(note for choice in choices.values() for note in choice.notes)])),
        urls_with_login=tuple(dict.fromkeys(url for choice in choices.values() for url in choice.urls_with_login)),
        indexes=tuple(indexes),
        files=fingerprints([*_decisive(paths, options), *files, *given], base),
    )


def _with_project(
    choices: Mapping[str, Choice], kind: Kind, paths: Sequence[Path], *, base: Path, options: ResolverOptions
) -> tuple[dict[str, Choice], list[str]]:
    """Return choices with the project itself, as its tool installs it, or without; and what there is to say of that."""
    pyproject = (paths[0] if paths else base / "pyproject.toml").with_name("pyproject.toml")
    here = pyproject.parent.resolve()
    left_out = options.no_project or options.no_build
    own = None
    if kind in (Kind.PROJECT, Kind.POETRY, Kind.PDM) and not left_out:
        own = own_package(pyproject, base=base, options=options)
    found, names = {}, set()
    for key, choice in choices.items():
        packages = []
        for package in choice.selection.packages:
            source = package.wheel.source
            if source is not None and source.directory is not None and (base / source.directory).resolve() == here:
                names.add(package.name)
                if own is None and not left_out:
                    packages.append(package)
            else:
                packages.append(package)
        if own is not None:
            packages = sorted([*packages, own], key=lambda package: (package.name, package.version, package.when))
        found[key] = replace(choice, selection=replace(choice.selection, packages=tuple(packages)))
    notes = [f"{name} is the project itself and is left out; its dependencies are not" for name in sorted(names)]
    return found, notes if left_out else []


def _decisive(paths: Sequence[Path], options: ResolverOptions) -> list[Path]:
    """Return the files that decide what is locked: the inputs, and the uv.lock of a project."""
    locks = [lock_of(path) for path in paths if path.name == "pyproject.toml"]
    return [*paths, *locks, *map(Path, (*options.constraints, *options.overrides))]


def _read_poetry_project(
    path: Path,
    targets: Sequence[Target],
    *,
    where: str,
    base: Path,
    extras: Sequence[str] | None,
    groups: Sequence[str] | None,
    preferences: Mapping[str, str],
    options: ResolverOptions,
    local: LocalWheels,
) -> tuple[dict[str, Choice], list[str], list[NamedIndex]]:
    """Read a Poetry project without a lock: uv resolves what it asks for."""
    with as_standard(path) as (standard, default_groups, indexes):
        project = replace(Project.read(standard), default_groups=default_groups)
        try:
            choices, notes = read_project(
                project,
                targets,
                base=base,
                extras=extras,
                groups=groups,
                preferences=preferences,
                options=replace(options, index=(*options.index, *indexes)),
                local=local,
            )
        except NixgenError as error:
            error.where = where  # and not that of a file that is gone
            raise
    notes.append(f"{where} has no lock of Poetry's: uv resolved it (`poetry lock` makes one, which is then taken)")
    return choices, notes, [NamedIndex.parse(text) for text in indexes]


def _read_pylock(
    path: Path,
    targets: Sequence[Target],
    *,
    where: str,
    base: Path,
    extras: Sequence[str] | None,
    groups: Sequence[str] | None,
    local: LocalWheels,
    options: ResolverOptions,
) -> dict[str, Choice]:
    lock = parse(read_text(path), where=where)
    return {
        target.key: choose(
            lock,
            target,
            where=where,
            directory=path.parent,
            base=base,
            extras=extras,
            groups=groups,
            local=local,
            from_source=options.from_source,
        )
        for target in targets
    }


def _read_requirements(
    paths: Sequence[Path],
    targets: Sequence[Target],
    *,
    where: str,
    base: Path,
    preferences: Mapping[str, str],
    options: ResolverOptions,
    local: LocalWheels,
    held_back: bool,
) -> tuple[dict[str, Choice], list[str]]:
    """Resolve requirements files, with wheels and directories of wheels among them."""
    notes: list[str] = []
    files = [path for path in paths if not path.is_dir()]
    cwd = files[0].absolute().parent if files else base.absolute()
    hashes = Hashes.read([*files, *map(Path, options.constraints)]).with_wheels(local.given)
    if UvSettings.read(cwd).require_hashes:
        hashes = replace(hashes, required=True)
    is_script = bool(files) and files[0].suffix == ".py"  # which uv takes alone
    lines = [] if is_script else local.requirements()
    for directory in paths:
        if directory.is_dir():
            names, left_out = names_in(directory, targets)
            lines += names
            notes += left_out
            options = replace(options, find_links=(*options.find_links, str(directory)), no_index=True)

    with temporary_directory() as created, local.constraints() as constraints:
        options = replace(options, extra=(*options.extra, *(constraints if is_script else [])))
        asked = created.resolve() / "requirements.txt"
        asked.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        sources = [*(str(path.absolute()) for path in files), *([str(asked)] if lines else [])]

        def resolve(python: str, system: Target | None) -> uv.Resolution:
            resolution = uv.compile_requirements(
                sources, python=python, cwd=cwd, where=where, options=options, preferences=preferences, system=system
            )
            if held_back:
                notes.extend(uv.held_back(sources, resolution, python=python, cwd=cwd, options=options))
            return replace(resolution, lock=hashes.restrict(resolution.lock))

        resolutions = by_system(targets, resolve, notes, whole=lambda resolution: not resolution.unusable)
    choices = {}
    for target in targets:
        resolution = resolutions[target.key]
        choice = choose(
            resolution.lock,
            target,
            where=where,
            directory=resolution.directory,
            base=base,
            local=local,
            from_source=options.from_source,
        )
        choices[target.key] = replace(choice, unusable=(*resolution.unusable, *choice.unusable))
    return choices, notes
