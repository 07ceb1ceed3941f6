"""What a ``poetry.lock`` holds: format 1 (Poetry 1.0 to 1.4), 2.0 (to 1.8) and 2.1 (2.x).

Format 2.1 says of each package for which groups, extras and systems it is wanted. The older ones do not, and what they
hold is walked from ``pyproject.toml``.
Source: Poetry's ``poetry.packages.locker``, and locks that Poetry 1.8 and 2.5 wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.pylock import Package, PackageArchive, PackageDirectory, PackageVcs
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from nixgen.errors import InputError
from nixgen.inputs.discover import read_toml
from nixgen.inputs.graph import Node, markers, reached
from nixgen.inputs.pins import Pin, PinnedLock, all_of, any_of, hashes_of, merged
from nixgen.inputs.poetry_project import PoetryProject, content_hashes, edge_of
from nixgen.targets import Target

_TOOL = "Poetry"
_AGAIN = "poetry lock"

#: What uv takes for the name of an index.
_INDEX_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

#: An extra of the project in a marker of format 2.1, which has no name for it in locks (PEP 751).
_EXTRA = re.compile(r"""extra\s*==\s*(["'])(?P<name>[^"']+)\1|(["'])(?P<turned>[^"']+)\3\s*==\s*extra""")


def read_poetry(path: Path, *, where: str) -> PinnedLock:
    """Read a ``poetry.lock`` and the ``pyproject.toml`` beside it.

    Args:
        path: the lock.
        where: its name, for errors.

    Raises:
        InputError: one of them cannot be read, the lock has a format that is not known, or it is older than what it was
            made from.
    """
    data = read_toml(path)
    metadata = data.get("metadata")
    if not isinstance(metadata, dict):
        raise InputError("this is no lock of Poetry's", where=where, todo=f"make it again: `{_AGAIN}`")
    version = str(metadata.get("lock-version", "1.0"))
    if version.partition(".")[0] not in ("1", "2"):
        raise InputError(
            f"nixgen does not know format {version} of a poetry.lock",
            where=where,
            todo="update nixgen, or export it: `poetry export -f requirements.txt -o requirements.txt`",
        )
    file = path.with_name("pyproject.toml")
    project = PoetryProject.read(file)
    if metadata.get("content-hash") not in {None, *content_hashes(project.data)}:
        raise InputError(f"the lock is older than {file.name}", where=where, todo=f"make it again: `{_AGAIN}`")
    packages = [_Package(table, metadata, where) for table in data.get("package", []) if isinstance(table, dict)]
    extras = data.get("extras", {})
    if all("groups" in package.table for package in packages) and version not in ("1.0", "1.1", "2.0"):
        listed = merged(package.pin(package.marker()) for package in packages)

        def pins(target: Target) -> Sequence[Pin]:
            return listed

    else:

        def pins(target: Target) -> Sequence[Pin]:
            return _walked(project, packages, target)

    return PinnedLock(
        path=path,
        tool=_TOOL,
        again=_AGAIN,
        pins=pins,
        requires_python=project.requires_python(),
        extras=tuple(sorted(map(canonicalize_name, extras))),
        groups=project.groups,
        default_groups=project.default_groups,
        indexes=tuple(dict.fromkeys(index for package in packages if (index := package.index) is not None)),
        files=(file,),
    )


class _Package:
    """A package of a lock.

    Args:
        table: its ``[[package]]``.
        metadata: the lock's, which has the files in format 1.
        where: the lock's name, for errors.
    """

    def __init__(self, table: Mapping[str, Any], metadata: Mapping[str, Any], where: str) -> None:
        self.table = table
        self.name = canonicalize_name(str(table.get("name", "")))
        self.version = str(table.get("version", ""))
        self._where = f"{where}, package {self.name}"
        try:
            Version(self.version)
        except InvalidVersion as error:
            raise InputError(str(error), where=self._where, todo=f"make the lock again: `{_AGAIN}`") from error
        files = table.get("files")
        if files is None:
            files = metadata.get("files", metadata.get("hashes", {})).get(str(table.get("name")), [])
        self._files = [file if isinstance(file, dict) else {"hash": f"sha256:{file}"} for file in files]
        source = table.get("source", {})
        self._source: Mapping[str, Any] = source if isinstance(source, dict) else {}

    @property
    def index(self) -> str | None:
        """Return the index that it is from, where that is not PyPI, as ``NAME=URL`` or ``URL``."""
        if self._source.get("type") != "legacy":
            return None
        url, name = str(self._source["url"]), str(self._source.get("reference", ""))
        return f"{name}={url}" if _INDEX_NAME.fullmatch(name) else url

    def marker(self) -> Marker | None:
        """Return when it is wanted, as format 2.1 says it.

        Raises:
            InputError: a marker is malformed.
        """
        groups = [canonicalize_name(str(name)) for name in self.table["groups"]]
        said = self.table.get("markers", "")
        by_group = (
            {canonicalize_name(name): text for name, text in said.items()}
            if isinstance(said, dict)
            else dict.fromkeys(groups, said)
        )
        found = []
        for group in groups:
            text = by_group.get(group, "")
            try:
                own = Marker(_EXTRA.sub(_in_extras, text)) if text not in ("", "*") else None
            except InvalidMarker as error:
                raise InputError(str(error), where=self._where, todo=f"make the lock again: `{_AGAIN}`") from error
            found.append(all_of([own, None if group == "main" else Marker(f'"{group}" in dependency_groups')]))
        certain = [marker for marker in found if marker is not None]
        return any_of(certain) if len(certain) == len(found) and certain else None

    def pin(self, marker: Marker | None) -> Pin:
        """Return it as it is wanted."""
        return Pin(
            name=self.name,
            version=self.version,
            marker=marker,
            sha256=hashes_of(self._files),
            direct=self._direct(),
        )

    def node(self, target: Target) -> Node:
        """Return it with what it requires for a target."""
        from poetry.core.factory import Factory

        edges = []
        for name, said in self.table.get("dependencies", {}).items():
            for one in said if isinstance(said, list) else [said]:
                edges.append(edge_of(Factory.create_dependency(name, one), target))
        return Node(name=self.name, version=self.version, edges=edges)

    def _direct(self) -> Package | None:
        kind, url = self._source.get("type"), str(self._source.get("url", ""))
        inside = self._source.get("subdirectory")
        version = Version(self.version)
        if kind == "git":
            commit = str(self._source.get("resolved_reference", ""))
            asked = self._source.get("reference")
            vcs = PackageVcs(type="git", url=url, requested_revision=asked, commit_id=commit, subdirectory=inside)
            return Package(name=self.name, version=version, vcs=vcs)
        if kind == "directory":
            return Package(name=self.name, version=version, directory=PackageDirectory(path=url))
        if kind in ("file", "url"):
            digest = next(iter(sorted(hashes_of(self._files))), "")
            at = {"path": url} if kind == "file" else {"url": url}
            archive = PackageArchive(**at, hashes={"sha256": digest}, subdirectory=inside)  # type: ignore[arg-type]
            return Package(name=self.name, version=version, archive=archive)
        return None


def _walked(project: PoetryProject, packages: Iterable[_Package], target: Target) -> list[Pin]:
    """Return what is reached for a target, in a lock that does not say for whom its packages are."""
    from poetry.core.constraints.version import Version as PoetryVersion
    from poetry.core.constraints.version import parse_constraint

    python = PoetryVersion.parse(target.full_version)
    fitting: dict[tuple[str, str], _Package] = {
        (package.name, package.version): package
        for package in packages
        if parse_constraint(str(package.table.get("python-versions", "*"))).allows(python)
    }
    parts = reached(project.roots(target), [package.node(target) for package in fitting.values()])
    return [package.pin(markers(parts[key])) for key, package in fitting.items() if key in parts]


def _in_extras(match: re.Match[str]) -> str:
    return f'"{canonicalize_name(match["name"] or match["turned"])}" in extras'
