"""An environment of a lock as a text in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from nixgen.environments.choice import Choice
from nixgen.environments.fetch import access_of, indexes_of
from nixgen.environments.graph import graph_of, target_of
from nixgen.export import cyclonedx, pylock, requirements
from nixgen.metadata import metadata_of
from nixgen.observer import SILENT, Observer

#: What ``exported`` knows.
Format = Literal["pylock", "requirements", "cyclonedx"]


def exported(choice: Choice, form: Format, *, place: Path, hashes: bool = True, observer: Observer = SILENT) -> str:
    """Return an environment in a format.

    Args:
        choice: the environment.
        form: the format.
        place: the directory that the file will be in, which paths in it are relative to.
        hashes: whether requirements have hashes.
        observer: is told what goes on.

    Raises:
        InputError: the format cannot hold a package.
        NixgenError: as ``graph_of``, for CycloneDX.
    """
    if form == "pylock":
        return pylock(choice.packages, target_of(choice).target, base=choice.base, place=place)
    if form == "requirements":
        return requirements(choice.packages, base=choice.base, place=place, hashes=hashes)
    indexes = indexes_of(choice, choice.packages, observer)
    content = metadata_of(indexes.values(), base=choice.base, access=lambda: access_of(choice.base, choice.mirrors))
    graph = graph_of(choice, observer)
    name, version = _project(choice)
    if graph.own is not None:
        name, version = graph.own, graph.versions[graph.own]
    return cyclonedx(choice.packages, graph, content, project=name, version=version)


def _project(choice: Choice) -> tuple[str, str | None]:
    """Return what a project calls itself, or its directory; and its version."""
    import tomllib

    try:
        project = tomllib.loads((choice.base / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
        return str(project["name"]), str(project["version"]) if "version" in project else None
    except (OSError, ValueError, KeyError, AttributeError):
        return choice.base.resolve().name, None
