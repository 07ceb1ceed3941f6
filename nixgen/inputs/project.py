"""What a project wants: dependencies, extras and dependency groups, resolved so that they agree."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from nixgen.errors import InputError
from nixgen.inputs import uv
from nixgen.inputs.discover import read_toml
from nixgen.inputs.local import LocalWheels
from nixgen.inputs.options import ResolverOptions
from nixgen.inputs.pylock import Choice, check_python, choose, restrict
from nixgen.inputs.sources import Unusable, relative_to
from nixgen.inputs.static import with_static_versions
from nixgen.inputs.uv import Resolution
from nixgen.model import ALWAYS, Clause, LockedPackage, Selection, WheelSource
from nixgen.targets import Target

T = TypeVar("T")

#: What a part of a project is called: the empty string for its dependencies, else a selector (``extra:web``).
Part = str
BASE: Part = ""

_BY_ITSELF = "each system was resolved by itself: for all that uv knows at once, as Windows, there is no solution"


@dataclass(frozen=True, kw_only=True)
class Project:
    """What ``pyproject.toml`` says that matters here.

    Attributes:
        path: the file.
        dependencies: whether it has ``[project]``, or is the root of a locked workspace without one.
        requires_python: the Pythons it is for.
        extras: its extras, as spelled, by normalized name; of a workspace without a project, those of its members.
        groups: its dependency groups (PEP 735), likewise; those of members too then, as uv sync has it.
        default_groups: the groups that ``[tool.uv] default-groups`` names, normalized; where it names none, ``dev``
            where there is one, as uv has it.
        indexes: ``[[tool.uv.index]]``, as ``NAME=URL`` or ``URL``.
        name: its own, normalized; None without ``[project]``.
        dynamic: whether only its build backend knows what it depends on.
        malformed: the requirements that cannot be read, each with the table it is in.
        own_extras: the extras of itself that each group asks for, by the group's normalized name; a group that does not
            ask for the project is not there.
        conflicts: sets of extras and groups of which an environment has one (``[tool.uv] conflicts``).
    """

    path: Path
    dependencies: bool
    requires_python: SpecifierSet
    extras: Mapping[str, str]
    groups: Mapping[str, str]
    default_groups: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    name: str | None = None
    dynamic: bool = False
    malformed: tuple[tuple[str, str], ...] = ()
    own_extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conflicts: tuple[frozenset[Part], ...] = ()

    def conflict(self, one: Part, other: Part) -> bool:
        """Tell whether no environment has both of two parts."""
        return any(one in parts and other in parts for parts in self.conflicts if one != other)

    def has_base(self, part: Part) -> bool:
        """Tell whether a part is resolved with the dependencies: an extra, or a group that may want others of them."""
        in_conflict = any(part in parts for parts in self.conflicts)
        return self.dependencies and (not part.startswith("group:") or in_conflict)

    @classmethod
    def read(cls, path: Path) -> Project:
        """Read a ``pyproject.toml``.

        Raises:
            InputError: it is no TOML, names no dependencies at all, or has something malformed.
        """
        data = read_toml(path)
        tool = _table(_table(data, "tool", path), "uv", path)
        # A root of a workspace without a project of its own: what uv's lock has of all members, as uv sync has it.
        virtual = "workspace" in tool and "project" not in data and path.with_name("uv.lock").is_file()
        if not virtual and "workspace" in tool and "project" not in data:
            raise InputError(
                "this is the root of a workspace, without a project of its own and without a lock",
                where=str(path),
                todo="make its lock, which is read: `uv lock`; or lock one member in its directory",
            )
        if not virtual and not {"project", "dependency-groups"} & data.keys():
            raise InputError(
                "there is no [project] and no [dependency-groups]",
                where=str(path),
                todo="add [project] with its dependencies, or give a requirements file",
            )
        project = _table(data, "project", path)
        groups = _by_normalized_name(_table(data, "dependency-groups", path))
        extras = _by_normalized_name(_table(project, "optional-dependencies", path))
        if virtual:
            for member in _members(path.with_name("uv.lock")):
                groups = _by_normalized_name(_table(member, "dev-dependencies", path)) | groups
                extras |= _by_normalized_name(_table(member, "optional-dependencies", path))
        defaults = tool.get("default-groups", ["dev"] if "dev" in groups else [])
        try:
            requires_python = SpecifierSet(str(project.get("requires-python", "")))
        except InvalidSpecifier as error:
            raise InputError(str(error), where=f"{path}, requires-python", todo="correct it") from error
        return cls(
            path=path,
            dependencies=virtual or "project" in data,
            requires_python=requires_python,
            extras=extras,
            groups=groups,
            default_groups=tuple(sorted(groups if defaults == "all" else map(canonicalize_name, defaults))),
            indexes=tuple(_index(table) for table in tool.get("index", []) if isinstance(table, dict)),
            name=(name := canonicalize_name(str(project["name"])) if "name" in project else None),
            dynamic=_is_dynamic(project),
            malformed=tuple(_malformed(project)),
            conflicts=tuple(_conflicts(tool.get("conflicts"), name)),
            own_extras={} if name is None else _own_extras(name, _table(data, "dependency-groups", path)),
        )


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
    code, dynamic = _only_code_knows(lock), _dynamic_versions(lock)
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


def _table(data: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise InputError(f"{key} is no table", where=str(path), todo="correct it")
    return value


def lock_of(project: Path) -> Path:
    """Return the ``uv.lock`` that decides for a ``pyproject.toml``: of its workspace's root, where it is a member."""
    beside = project.parent / "uv.lock"
    if beside.is_file():
        return beside
    for directory in project.absolute().parent.parents:
        root = directory / "pyproject.toml"
        if not root.is_file():
            continue
        workspace = _table(_table(_table(read_toml(root), "tool", root), "uv", root), "workspace", root)
        if not workspace:
            continue
        inside = {found.absolute() for pattern in _list(workspace, "members") for found in directory.glob(pattern)}
        outside = {found.absolute() for pattern in _list(workspace, "exclude") for found in directory.glob(pattern)}
        return directory / "uv.lock" if project.absolute().parent in inside - outside else beside
    return beside


def _members(lock: Path) -> list[Mapping[str, Any]]:
    """Return what a ``uv.lock`` says of the members of its workspace."""
    data = read_toml(lock)
    members, packages = _list(_table(data, "manifest", lock), "members"), data.get("package", [])
    found = packages if isinstance(packages, list) else []
    return [package for package in found if isinstance(package, dict) and package.get("name") in members]


def _only_code_knows(lock: Path) -> list[str]:
    """Return the names of a ``uv.lock``'s directories whose requirements do not all stand in ``pyproject.toml``.

    uv runs their build backends to compare them with the lock, with ``--no-build`` too where they are editable
    (measured with uv 0.13).
    """
    return sorted(
        name
        for name, kind, data in _directories(lock)
        if (kind != "virtual" and "project" not in data) or _is_dynamic(data.get("project", {}))
    )


def _dynamic_versions(lock: Path) -> list[str]:
    """Return the names of a ``uv.lock``'s directories whose version does not stand in ``pyproject.toml``.

    Of these too uv runs the build backends, where the lock is stale.
    """
    return sorted(
        name for name, _, data in _directories(lock) if "version" in _list(data.get("project", {}), "dynamic")
    )


def _directories(lock: Path) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield the name, the kind and the ``pyproject.toml`` of each directory that a ``uv.lock`` has."""
    packages = read_toml(lock).get("package", [])
    for package in packages if isinstance(packages, list) else []:
        source = package.get("source", {})
        for kind in ("editable", "directory", "virtual"):
            if kind in source:
                path = lock.parent / source[kind] / "pyproject.toml"
                yield str(package.get("name", source[kind])), kind, read_toml(path) if path.is_file() else {}


def _is_dynamic(project: Mapping[str, Any]) -> bool:
    decisive = {"dependencies", "optional-dependencies", "requires-python"}
    return not decisive.isdisjoint(_list(project, "dynamic"))


def _list(table: Mapping[str, Any], key: str) -> list[str]:
    value = table.get(key, [])
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _conflicts(said: object, name: str | None) -> Iterator[frozenset[Part]]:
    """Yield the sets of parts of a project that conflict, as ``[tool.uv] conflicts`` has them."""
    for table in said if isinstance(said, list) else []:
        yield frozenset(
            f"{kind}:{canonicalize_name(str(item[kind]))}"
            for item in (table if isinstance(table, list) else [])
            if isinstance(item, dict) and canonicalize_name(str(item.get("package", name or ""))) == (name or "")
            for kind in ("extra", "group")
            if kind in item
        )


def _malformed(project: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the requirements of ``[project]`` that cannot be read; of those in groups uv says itself what is wrong."""
    found = [("dependencies", text) for text in _list(project, "dependencies")]
    extras = project.get("optional-dependencies", {})
    for extra in extras if isinstance(extras, dict) else ():
        found += [(f"optional-dependencies.{extra}", text) for text in _list(extras, extra)]
    for table, text in found:
        try:
            Requirement(text)
        except InvalidRequirement:
            yield table, text


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


def _own_extras(name: str, groups: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return which extras of the project itself its groups ask for (PEP 735), by the groups' normalized names."""
    listed: dict[str, list[Any]] = {
        canonicalize_name(group): items for group, items in groups.items() if isinstance(items, list)
    }

    def asked(group: str, seen: frozenset[str]) -> Iterator[Requirement]:
        for item in listed.get(group, []):
            if isinstance(item, dict) and "include-group" in item:
                other = canonicalize_name(str(item["include-group"]))
                if other not in seen:
                    yield from asked(other, seen | {other})
            elif isinstance(item, str):
                with contextlib.suppress(InvalidRequirement):  # uv says what is wrong with it
                    if canonicalize_name((requirement := Requirement(item)).name) == name:
                        yield requirement

    found = {group: list(asked(group, frozenset([group]))) for group in listed}
    return {
        group: tuple(sorted({extra for requirement in requirements for extra in requirement.extras}))
        for group, requirements in found.items()
        if requirements
    }


def _by_normalized_name(names: Iterable[str]) -> dict[str, str]:
    return {canonicalize_name(name): name for name in sorted(names)}


def _index(table: Mapping[str, Any]) -> str:
    url, name = str(table.get("url", "")), table.get("name")
    return f"{name}={url}" if name else url


def _shown(path: Path, base: Path) -> str:
    return relative_to(base, path, absolute=False)
