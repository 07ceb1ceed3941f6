"""What a project takes: its parts, resolved by uv or exported of its ``uv.lock``, and joined so that they agree."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from nixgen.errors import InputError
from nixgen.inputs import uv
from nixgen.inputs.local import LocalWheels
from nixgen.inputs.options import ResolverOptions
from nixgen.inputs.project import BASE, Part, Project, dynamic_versions, lock_of, only_code_knows
from nixgen.inputs.pylock import Choice, check_python, choose, restrict
from nixgen.inputs.sources import Unusable, relative_to
from nixgen.inputs.static import with_static_versions
from nixgen.inputs.uv import Resolution
from nixgen.model import ALWAYS, Clause, LockedPackage, Selection, WheelSource
from nixgen.targets import Target

T = TypeVar("T")

_BY_ITSELF = "each system was resolved by itself: for all that uv knows at once, as Windows, there is no solution"


def read_project(
    project: Project,
    targets: Sequence[Target],
    *,
    base: Path,
    extras: Sequence[str] | None,
    groups: Sequence[str] | None,
    preferences: Mapping[str, str],
    options: ResolverOptions,
    local: LocalWheels,
) -> tuple[dict[str, Choice], list[str]]:
    """Return what every target takes from a project, and notes.

    Where a ``uv.lock`` stands beside ``pyproject.toml`` it decides, so that nixgen and ``uv sync`` agree;
    else uv resolves. The locks uv writes do not say what belongs to which extra or group, so that each is
    asked for by itself.

    Raises:
        InputError: it cannot be resolved, its ``uv.lock`` is stale, or a target's Python does not fit.
        UsageError: an extra or group is asked for that the project does not have.
    """
    where = _shown(project.path, base)
    for target in targets:
        check_python(project.requires_python, target, where=where)
    parts: list[Part] = [
        *([BASE] if project.dependencies else []),
        *(f"extra:{name}" for name in restrict(project.extras, extras, "extra", where=where)),
        *(f"group:{name}" for name in restrict(project.groups, groups, "group", where=where)),
    ]
    lock = lock_of(project.path)
    notes: list[str] = []
    resolutions: dict[str, dict[Part, Resolution]] = {}
    if lock.is_file():
        if project.malformed:  # uv would ask the build backend
            raise _plainer(InputError("", where=where, todo=""), project, where)
        exported = _exported(parts, project, lock, where=_shown(lock, base), options=options, notes=notes)
        resolutions = {target.key: exported for target in targets}
    else:
        with local.constraints() as constraints:
            options = replace(options, extra=(*options.extra, *constraints))

            def resolve(python: str, system: Target | None) -> dict[Part, Resolution]:
                return _resolved(
                    parts, project, python, system, where=where, preferences=preferences, options=options, notes=notes
                )

            def whole(found: dict[Part, Resolution]) -> bool:
                return not any(resolution.unusable for resolution in found.values())

            resolutions = by_system(targets, resolve, notes, whole=whole)
    choices = {
        target.key: _joined(
            resolutions[target.key],
            project,
            target,
            where=where,
            base=base,
            local=local,
            from_source=options.from_source,
        )
        for target in targets
    }
    return choices, notes


def by_system(
    targets: Sequence[Target],
    resolve: Callable[[str, Target | None], T],
    notes: list[str],
    *,
    whole: Callable[[T], bool] = lambda found: True,
) -> dict[str, T]:
    """Return what is resolved for each target, by its key: for all systems at once where that goes.

    All systems are those that uv knows, Windows and PyPy among them, for which nothing is locked. Where that has no
    solution, or leaves packages out, each system is resolved by itself.

    Args:
        targets: what to resolve for.
        resolve: does it, for a Python and a system, or all of them.
        notes: gets a line where each system is resolved by itself.
        whole: tells whether nothing was left out for having no wheel.

    Raises:
        InputError: as ``resolve``, of the first system that has no solution.
    """
    found: dict[str, T] = {}
    for python in dict.fromkeys(target.full_version for target in targets):
        of_python = [target for target in targets if target.full_version == python]
        before = len(notes)
        together: T | None = None
        with contextlib.suppress(InputError):
            together = resolve(python, None)
        if together is None or not whole(together):
            said = notes[before:]
            del notes[before:]
            try:
                alone = {target.key: resolve(python, target) for target in of_python}
            except InputError:
                if together is None:
                    raise
                alone = {}
            if together is None or (alone and all(map(whole, alone.values()))):
                found |= alone
                notes.append(_BY_ITSELF)
                continue
            notes[before:] = said  # which lists what was left out for all targets at once
        found |= {target.key: together for target in of_python}
    return found


def _resolved(
    parts: Sequence[Part],
    project: Project,
    python: str,
    system: Target | None,
    *,
    where: str,
    preferences: Mapping[str, str],
    options: ResolverOptions,
    notes: list[str],
) -> dict[Part, Resolution]:
    """Resolve all at once that does not conflict, then each part by itself with the versions of that."""
    cwd = project.path.parent
    # Whatever an index has under the project's own name is not the project.
    own = [] if project.name is None else [project.name]
    resolutions: dict[Part, Resolution] = {}
    unusable: list[Unusable] = []
    wanted = preferences
    for layer, own_parts in _layers(parts, project):
        sources = _sources(layer, project)
        try:
            together = uv.compile_requirements(
                sources,
                python=python,
                cwd=cwd,
                where=where,
                options=options,
                preferences=wanted,
                exclude=own,
                system=system,
            )
        except InputError as error:
            raise _plainer(error, project, where) from error
        notes += uv.held_back(sources, together, python=python, cwd=cwd, options=options)
        unusable += together.unusable
        built = uv.without_wheels(together.lock) if together.may_have_built else ()
        for part in own_parts:
            resolutions[part] = (
                together
                if len(layer) == 1
                else uv.compile_requirements(
                    _sources([part], project),
                    python=python,
                    cwd=cwd,
                    where=where,
                    options=replace(options, built=tuple(built)),
                    preferences=preferences,
                    agree_with=together.lock,
                    exclude=[*own, *(item.name for item in together.unusable)],
                    system=system,
                )
            )
        # Parts that conflict differ in no more than they have to.
        wanted = {**{package.name: str(package.version) for package in together.lock.packages}, **wanted}
    if resolutions:
        # What has no wheel was found, and left out, while everything was resolved at once.
        resolutions[parts[0]] = replace(resolutions[parts[0]], unusable=tuple(dict.fromkeys(unusable)))
    return resolutions


def _layers(parts: Sequence[Part], project: Project) -> Iterator[tuple[list[Part], list[Part]]]:
    """Yield what is resolved at once, and which parts that settles: first those that conflict with nothing."""
    common = [part for part in parts if not any(part in conflicting for conflicting in project.conflicts)]
    if common:
        yield common, common
    layers: list[list[Part]] = []
    for part in parts:
        if part not in common:
            free = (layer for layer in layers if not any(project.conflict(part, other) for other in layer))
            layer = next(free, None)
            if layer is None:
                layers.append(layer := [])
            layer.append(part)
    for layer in layers:
        yield [*common, *layer], layer


def _exported(
    parts: Sequence[Part], project: Project, lock: Path, *, where: str, options: ResolverOptions, notes: list[str]
) -> dict[Part, Resolution]:
    """Export each part of ``uv.lock``; let uv check once, where it finds a Python, that it is not stale."""
    if options.upgrade or options.upgrade_packages:
        notes.append(f"{where} decides the versions: upgrade them with `uv lock --upgrade`")
    cwd = project.path.parent
    check: list[list[str]] = [[]]  # whichever interpreter uv finds
    if project.requires_python.contains(platform.python_version(), prereleases=True):
        check.insert(0, ["--python", sys.executable])
    unchecked = f"{where} was not compared with {project.path.name}: "
    code, dynamic = only_code_knows(lock), dynamic_versions(lock)
    if code:
        notes.append(f"{unchecked}only code, which is not run, knows all metadata of {', '.join(code)}")
        check = []
    for python in check:
        try:
            with contextlib.ExitStack() as stack:
                at = cwd
                if dynamic:
                    root = stack.enter_context(with_static_versions(lock, dynamic))
                    at = root / os.path.relpath(cwd.absolute(), lock.absolute().parent)
                notes += uv.export(python, cwd=at, where=where, options=options, locked=True).warnings
            break
        except LookupError:
            continue
        except uv.WouldBuildError:
            notes.append(f"{unchecked}that would run code of a package")
            break
    else:
        if not code:
            notes.append(f"{unchecked}no Python {project.requires_python} is here")
    exported = {
        part: uv.export(
            ["--python", sys.executable, *_export_arguments(part, project)],
            cwd=cwd,
            where=where,
            options=options,
            locked=False,
        )
        for part in parts
    }
    notes += dict.fromkeys(warning for resolution in exported.values() for warning in resolution.warnings)
    return exported


def _joined(
    resolutions: Mapping[Part, Resolution],
    project: Project,
    target: Target,
    *,
    where: str,
    base: Path,
    local: LocalWheels,
    from_source: Container[str],
) -> Choice:
    """Return one choice from those of the parts: what the base has is always wanted, the rest by part."""
    clauses: dict[tuple[str, str, WheelSource], list[Part]] = {}
    unusable: list[Unusable] = []
    notes: list[str] = []
    urls_with_login: list[str] = []
    for part, resolution in resolutions.items():
        choice = choose(
            resolution.lock,
            target,
            where=where,
            directory=resolution.directory,
            base=base,
            local=local,
            from_source=from_source,
        )
        unusable += [*resolution.unusable, *choice.unusable]
        notes += choice.notes
        urls_with_login += choice.urls_with_login
        for package in choice.selection.packages:
            clauses.setdefault((package.name, package.version, package.wheel), []).append(part)
    by_name: dict[str, set[Part]] = {}
    for (name, _, _), found in clauses.items():
        by_name.setdefault(name, set()).update(found)
    packages = [
        LockedPackage(
            name=name, version=version, wheel=wheel, when=_when(found, by_name[name] - {*found}, resolutions, project)
        )
        for (name, version, wheel), found in clauses.items()
    ]
    groups = _named("group", resolutions)
    return Choice(
        selection=Selection(
            packages=tuple(sorted(packages, key=lambda package: (package.name, package.version, package.when))),
            extras=_named("extra", resolutions),
            groups=groups,
            default_groups=tuple(name for name in groups if name in project.default_groups),
        ),
        unusable=tuple(dict.fromkeys(unusable)),
        notes=tuple(dict.fromkeys(notes)),
        urls_with_login=tuple(dict.fromkeys(urls_with_login)),
    )


def _when(
    found: Sequence[Part], others: Iterable[Part], resolutions: Iterable[Part], project: Project
) -> tuple[Clause, ...]:
    """Return when a package is wanted: a part that conflicts with another may take it away, for another version.

    Args:
        found: the parts that have it.
        others: the parts that have another version or file of it.
        resolutions: all parts.
        project: the project.
    """
    conflicting = frozenset().union(*project.conflicts)
    if BASE in found:
        lacking = (part for part in resolutions if part and part not in found and project.has_base(part))
        without = tuple(f"!{part}" for part in sorted(lacking))
        # A part that conflicts says so itself, so that two of them do not agree by silence.
        return (without, *sorted((part,) for part in found if part in conflicting)) if without else ALWAYS
    without = tuple(f"!{part}" for part in sorted(others) if part in conflicting)
    return tuple(sorted((part,) if part in conflicting else (part, *without) for part in found))


def _sources(parts: Iterable[Part], project: Project) -> list[str]:
    """Return what ``uv pip compile`` calls these parts; a group does not bring the dependencies along."""
    arguments: dict[str, None] = {}
    for part in parts:
        kind, _, name = part.partition(":")
        if kind == "group":
            arguments[f"--group={project.path.name}:{project.groups[name]}"] = None
            if project.has_base(part):
                arguments[project.path.name] = None
            if (extras := project.own_extras.get(name)) is not None:
                arguments[project.path.name] = None
                arguments |= dict.fromkeys(f"--extra={extra}" for extra in extras)
            continue
        arguments[project.path.name] = None
        if kind == "extra":
            arguments[f"--extra={project.extras[name]}"] = None
    return list(arguments)


def _export_arguments(part: Part, project: Project) -> list[str]:
    kind, _, name = part.partition(":")
    if kind == "group":
        only = [f"--only-group={project.groups[name]}"]
        return ["--no-default-groups", f"--group={project.groups[name]}"] if project.has_base(part) else only
    return ["--no-default-groups", *([f"--extra={project.extras[name]}"] if kind == "extra" else [])]


def _named(kind: str, parts: Iterable[Part]) -> tuple[str, ...]:
    return tuple(sorted(part.partition(":")[2] for part in parts if part.startswith(f"{kind}:")))


def _plainer(error: InputError, project: Project, where: str) -> InputError:
    """Return what is wrong with a project where uv, which then asks the build backend, says only that it may not."""
    if project.malformed:
        listed = "".join(f"\n    {table}: {text!r}" for table, text in project.malformed)
        return InputError(
            f"these are no requirements:{listed}",
            where=where,
            todo="correct them: a name, then perhaps versions, as in `flask>=3` or `flask==3.1.*`",
        )
    if project.dynamic:
        return InputError(
            "its dependencies are dynamic: only the project's own code, which is not run, knows them",
            where=where,
            todo="name them in [project] dependencies, or make a uv.lock, which is then read: `uv lock`",
        )
    return error


def _shown(path: Path, base: Path) -> str:
    return relative_to(base, path, absolute=False)
