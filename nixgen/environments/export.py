"""An environment of a lock as a text in another format."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Literal

from nixgen.environments.choice import Choice
from nixgen.environments.fetch import access_of, indexes_of
from nixgen.environments.graph import graph_of, target_of
from nixgen.environments.kinds import Kinds
from nixgen.environments.request import Request
from nixgen.errors import InputError
from nixgen.export import Part, components, cyclonedx, pylock, requirements
from nixgen.metadata import metadata_of
from nixgen.names import LOCK_NAME
from nixgen.observer import SILENT, Observer

#: What ``exported`` knows.
Format = Literal["pylock", "requirements", "cyclonedx"]


def exported(request: Request, form: Format, *, place: Path, hashes: bool = True, observer: Observer = SILENT) -> str:
    """Return an environment in a format; what packages of npm it has, a bill of materials has too.

    Args:
        request: the environment.
        form: the format.
        place: the directory that the file will be in, which paths in it are relative to.
        hashes: whether requirements have hashes.
        observer: is told what goes on.

    Raises:
        InputError: the lock does not hold what is chosen, or the format cannot hold a package.
        NixgenError: as ``graph_of`` and ``nixgen.npm.indexes.indexes_of``, for CycloneDX.
    """
    kinds = Kinds.of(request.base)
    if form == "cyclonedx":
        return _bill(request, kinds, observer)
    if not kinds.python:
        raise InputError(
            f"{form} is a format for packages of Python, and the lock has packages of npm alone",
            where=str(request.base / LOCK_NAME),
            todo="write a bill of materials: `nixgen export --format cyclonedx`; npm and others read package-lock.json",
        )
    if kinds.npm:
        observer.note(f"{form} holds packages of Python: those of npm are left out")
    choice = Choice.of(request)
    if form == "pylock":
        return pylock(choice.packages, target_of(choice).target, base=choice.base, place=place)
    return requirements(choice.packages, base=choice.base, place=place, hashes=hashes)


def _bill(request: Request, kinds: Kinds, observer: Observer) -> str:
    parts: list[Part] = []
    name, version = _project(request.base)
    if kinds.python:
        choice = Choice.of(request)
        indexes = indexes_of(choice, choice.packages, observer)
        content = metadata_of(indexes.values(), base=choice.base, access=lambda: access_of(choice.base, choice.mirrors))
        graph = graph_of(choice, observer)
        parts.append(components(choice.packages, graph, content))
        if graph.own is not None:
            name, version = graph.own, graph.versions[graph.own]
    if kinds.npm:
        parts.append(_npm_part(request, observer))
    return cyclonedx(parts, project=name, version=version)


def _npm_part(request: Request, observer: Observer) -> Part:
    from nixgen.environments.npm import npm_access
    from nixgen.npm.components import components as npm_components
    from nixgen.npm.graph import npm_graph
    from nixgen.npm.indexes import indexes_of as indexes_of_npm
    from nixgen.npm.selection import Selection

    selection = Selection.of(request)
    indexes = indexes_of_npm(
        selection.packages,
        base=request.base,
        access=lambda: npm_access(request.base, request.mirrors),
        observer=observer,
    )
    return npm_components(selection.packages, npm_graph(selection.packages, selection.manifests), indexes)


def _project(base: Path) -> tuple[str, str | None]:
    """Return what a project calls itself in pyproject.toml or package.json, or its directory; and its version."""
    for read, file, key in ((tomllib.loads, "pyproject.toml", "project"), (json.loads, "package.json", None)):
        try:
            said = read((base / file).read_text(encoding="utf-8"))
            said = said[key] if key is not None else said
            return str(said["name"]), str(said["version"]) if "version" in said else None
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return base.resolve().name, None
