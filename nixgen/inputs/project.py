"""What a project says of itself: its dependencies, extras, dependency groups and what of them conflict."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from nixgen.errors import InputError
from nixgen.inputs.discover import read_toml

#: What a part of a project is called: the empty string for its dependencies, else a selector (``extra:web``).
Part = str
BASE: Part = ""


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


def only_code_knows(lock: Path) -> list[str]:
    """Return the names of a ``uv.lock``'s directories whose requirements do not all stand in ``pyproject.toml``.

    uv runs their build backends to compare them with the lock, with ``--no-build`` too where they are editable
    (measured with uv 0.13).
    """
    return sorted(
        name
        for name, kind, data in _directories(lock)
        if (kind != "virtual" and "project" not in data) or _is_dynamic(data.get("project", {}))
    )


def dynamic_versions(lock: Path) -> list[str]:
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
