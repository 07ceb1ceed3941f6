"""The members of a uv workspace, each with an environment of its own in the root's one lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from nixgen.inputs.discover import read_toml
from nixgen.inputs.pylock import Choice
from nixgen.model import Clause, LockedPackage, Selection, WheelSource


def members_of(pyproject: Path) -> dict[str, Path]:
    """Return the members of the workspace that a project is the root of: each one's ``pyproject.toml``, by its name.

    The root itself is none of them. Without a ``uv.lock`` beside it there are none: it alone says which there are.

    Args:
        pyproject: the project's ``pyproject.toml``.
    """
    lock = pyproject.with_name("uv.lock")
    if not lock.is_file():
        return {}
    data = read_toml(lock)
    manifest = data.get("manifest", {})
    names = manifest.get("members", []) if isinstance(manifest, dict) else []
    found = {}
    for package in data.get("package", []):
        source = package.get("source", {})
        place = source.get("editable") or source.get("virtual") or source.get("directory")
        if package.get("name") in names and isinstance(place, str):
            file = pyproject.parent / place / "pyproject.toml"
            if file.is_file() and file.resolve() != pyproject.resolve():
                found[canonicalize_name(package["name"])] = file
    return dict(sorted(found.items()))


def with_members(
    choices: Mapping[str, Choice],
    members: Mapping[str, Path],
    read: Callable[[Path], tuple[Mapping[str, Choice], Sequence[str]]],
) -> tuple[dict[str, Choice], list[str]]:
    """Return the choices of a workspace's root with those of its members, wanted where the member is, and notes.

    Args:
        choices: what each target takes for the root, by its key.
        members: what ``members_of`` gave.
        read: returns what each target takes for one of them, itself included, and notes.
    """
    found, notes = dict(choices), list[str]()
    for name, pyproject in members.items():
        own, said = read(pyproject)
        notes += said
        for key, choice in own.items():
            found[key] = _joined(found[key], choice, name)
    return found, notes


def _joined(root: Choice, member: Choice, name: str) -> Choice:
    packages: dict[tuple[str, str, WheelSource], LockedPackage] = {
        (package.name, package.version, package.wheel): package for package in root.selection.packages
    }
    for package in member.selection.packages:
        when: tuple[Clause, ...] = tuple((f"package:{name}", *clause) for clause in package.when)
        known = packages.get((package.name, package.version, package.wheel))
        packages[package.name, package.version, package.wheel] = replace(
            package, when=when if known is None else (*known.when, *when)
        )
    one, other = root.selection, member.selection
    return Choice(
        selection=Selection(
            packages=tuple(
                sorted(packages.values(), key=lambda package: (package.name, package.version, package.when))
            ),
            extras=tuple(sorted({*one.extras, *other.extras})),
            groups=tuple(sorted({*one.groups, *other.groups})),
            default_groups=tuple(sorted({*one.default_groups, *other.default_groups})),
            members=tuple(sorted({*one.members, name})),
        ),
        unusable=tuple(dict.fromkeys([*root.unusable, *member.unusable])),
        notes=tuple(dict.fromkeys([*root.notes, *member.notes])),
        urls_with_login=tuple(dict.fromkeys([*root.urls_with_login, *member.urls_with_login])),
    )
