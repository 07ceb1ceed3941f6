"""What the files that were locked ask for themselves, as far as they can tell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

#: What a requirement of a requirements file is followed by: a hash, a comment, the next line.
_REST = re.compile(r"(\s+#.*|\s+--?[a-z].*|\s*\\\s*)$")
_INCLUDED = re.compile(r"^\s*(?:-c\s*|--constraint(?:=|\s+))([^#]+?)\s*(?:#.*)?$", re.MULTILINE)

#: What `uv pip compile` and pip-compile write below what others ask for, and what they name there that is a file.
_VIA = re.compile(r"^\s+#\s+(via\b)?\s*(?P<who>\S.*)?$")
_FILE = re.compile(r"(^|\s)-r\s|\(.*\)\s*$|\.(in|txt|toml)\b")

#: What a text of Pipenv or Poetry means by any version.
_ANY = ("*", "")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A requirement of the project's own.

    Attributes:
        requirement: it, with its marker.
        extra: the extra of the project that has it.
        group: the dependency group that has it.
    """

    requirement: Requirement
    extra: str | None = None
    group: str | None = None


def direct_requirements(
    base: Path,
    inputs: Iterable[str],
    *,
    extras: Collection[str] = (),
    groups: Collection[str] = (),
    member: str | None = None,
) -> tuple[Asked, ...] | None:
    """Return what the inputs of a lock ask for; None where they do not tell it from what that asks for, as a lock.

    What cannot be read any more is passed over: it decides what is called direct, and nothing else.

    Args:
        base: the directory of the lock.
        inputs: their paths, as the lock has them.
        extras, groups: those of the project whose requirements count, besides its own.
        member: the member of the workspace to look at, in place of its root.
    """
    names = list(inputs)
    found: list[Asked] = []
    told = False
    constraints = {name for path in _requirements_files(names) for name in _constraints(base, path)}
    for name in names:
        path = base / name
        asked: Iterable[Asked] | None = None
        if path.name in _OF_LOCKS:
            path = path.with_name(_OF_LOCKS[path.name])
        if path.name == "pyproject.toml":
            asked = _of_project(_member(path, member), extras, groups)
        elif path.name == "Pipfile":
            asked = _of_pipfile(path, groups)
        elif path.suffix in (".in", ".txt") and name not in constraints:
            asked = map(_asked, _of_requirements(path))
        elif path.suffix == ".py":
            asked = map(_asked, _of_script(path))
        elif path.suffix == ".whl":
            asked = _of_wheel(path)
        if asked is not None:
            told = True
            found.extend(asked)
    return tuple({str((one.requirement, one.extra, one.group)): one for one in found}.values()) if told else None


_OF_LOCKS = {
    "uv.lock": "pyproject.toml",
    "poetry.lock": "pyproject.toml",
    "pdm.lock": "pyproject.toml",
    "Pipfile.lock": "Pipfile",
}


def _asked(requirement: Requirement) -> Asked:
    return Asked(requirement=requirement)


def _parsed(lines: Iterable[object]) -> Iterator[Requirement]:
    for line in lines:
        try:
            yield Requirement(str(line))
        except InvalidRequirement:
            continue


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _table(data: object, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _member(path: Path, member: str | None) -> Path:
    from nixgen.errors import NixgenError
    from nixgen.inputs.workspace import members_of

    if member is None:
        return path
    try:
        return members_of(path).get(member, path)
    except NixgenError:
        return path


def _of_project(path: Path, extras: Collection[str], groups: Collection[str]) -> list[Asked] | None:
    """Return what a pyproject.toml asks for; None where it does not say that in a way that is read here."""
    data = _toml(path)
    project, poetry = _table(data, "project"), _table(data, "tool", "poetry")
    if not project and not poetry and "dependency-groups" not in data:
        return None
    own = canonicalize_name(str(project.get("name") or ""))
    listed = project.get("dependencies")
    found = [_asked(one) for one in _parsed(listed if isinstance(listed, list) else [])]
    for name, lines in _table(project, "optional-dependencies").items():
        extra = canonicalize_name(name)
        if extra in extras:
            found += [Asked(requirement=one, extra=extra) for one in _parsed(lines)]
    declared = _table(data, "dependency-groups")
    for name in declared:
        group = canonicalize_name(name)
        if group in groups:
            found += [Asked(requirement=one, group=group) for one in _parsed(_group(declared, name, frozenset()))]
    found = [one for one in found if canonicalize_name(one.requirement.name) != own or not own]
    # Of Poetry's own tables only names and extras count: the lock has decided the rest.
    found += [_asked(one) for one in _named(_table(poetry, "dependencies"))]
    development = {"dev": {"dependencies": _table(poetry, "dev-dependencies")}} | dict(_table(poetry, "group"))
    for name, group_table in development.items():
        group = canonicalize_name(name)
        if group in groups:
            found += [Asked(requirement=one, group=group) for one in _named(_table(group_table, "dependencies"))]
    for name, lines in _table(data, "tool", "pdm", "dev-dependencies").items():
        group = canonicalize_name(name)
        if group in groups:
            found += [Asked(requirement=one, group=group) for one in _parsed(lines)]
    return found


def _group(declared: Mapping[str, Any], name: str, seen: frozenset[str]) -> Iterator[str]:
    """Yield the requirements of a dependency group, with those of the groups that it includes (PEP 735)."""
    normalized = {canonicalize_name(key): value for key, value in declared.items()}
    for item in normalized.get(canonicalize_name(name), ()):
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping) and (inner := canonicalize_name(str(item.get("include-group")))) not in seen:
            yield from _group(declared, inner, seen | {inner})


def _named(table: Mapping[str, Any]) -> Iterator[Requirement]:
    """Yield the requirements of a table of names, as Poetry and Pipenv have it: names, extras, plain versions."""
    for name, said in table.items():
        if name == "python" or (isinstance(said, Mapping) and said.get("optional") is True):
            continue
        extras = said.get("extras", ()) if isinstance(said, Mapping) else ()
        yield from _parsed([f"{name}[{','.join(map(str, extras))}]" if extras else name])


def _of_pipfile(path: Path, groups: Collection[str]) -> list[Asked]:
    data = _toml(path)
    found = [_asked(one) for one in _named(_table(data, "packages"))]
    for category, table in data.items():
        group = {"dev-packages": "dev"}.get(category, canonicalize_name(category))
        if category not in ("packages", "source", "requires", "scripts", "pipenv") and group in groups:
            found += [Asked(requirement=one, group=group) for one in _named(_table(table))]
    return found


def _requirements_files(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if name.endswith((".in", ".txt")))


def _constraints(base: Path, name: str) -> Iterator[str]:
    """Yield the files that a requirements file names to constrain others, as the lock names them."""
    import os

    for included in _INCLUDED.findall(_text(base / name)):
        yield os.path.relpath((base / name).parent / included.strip("\"'"), base).replace(os.sep, "/")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _of_requirements(path: Path) -> Iterator[Requirement]:
    """Yield what a requirements file asks for; of one that is compiled, only what was asked for when that was done."""
    lines = _text(path).replace("\r\n", "\n").split("\n")
    entries: list[tuple[str, list[str]]] = []
    for line in lines:
        if (via := _VIA.match(line)) is not None:
            if entries and via["who"]:
                entries[-1][1].append(via["who"])
        elif line.strip() and not line.lstrip().startswith(("#", "-")):
            entries.append((line.strip(), []))
    compiled = any(who for _, who in entries)
    for text, who in entries:
        if compiled and not any(map(_FILE.search, who)):
            continue
        while (shorter := _REST.sub("", text)) != text:
            text = shorter
        yield from _parsed([text])


def _of_script(path: Path) -> list[Requirement]:
    from nixgen.inputs.script import block_of

    listed = block_of(_text(path)).get("dependencies", [])
    return [*_parsed(listed if isinstance(listed, list) else [])]


def _of_wheel(path: Path) -> list[Asked]:
    try:
        return [_asked(Requirement(parse_wheel_filename(path.name)[0]))]
    except InvalidWheelFilename:
        return []


def project_requirements(pyproject: Path) -> list[str] | None:
    """Return what a project's wheel will require, in the form of ``Requires-Dist``; None where only its build tells.

    Args:
        pyproject: its ``pyproject.toml``.
    """
    data = _toml(pyproject)
    project = _table(data, "project")
    dynamic = project.get("dynamic", [])
    if not project or {"dependencies", "optional-dependencies"} & set(dynamic if isinstance(dynamic, list) else []):
        return None
    listed = project.get("dependencies", [])
    found = [str(one) for one in _parsed(listed if isinstance(listed, list) else [])]
    for extra, lines in _table(project, "optional-dependencies").items():
        for one in _parsed(lines):
            said = f'extra == "{canonicalize_name(extra)}"'
            head, _, _ = str(one).partition(";")
            found.append(f"{head.strip()} ; " + (f"({one.marker}) and {said}" if one.marker else said))
    return found
