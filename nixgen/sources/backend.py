"""What a source says of how it is built: its build backend and what that needs (PEP 517, PEP 518)."""

from __future__ import annotations

import tarfile
import tomllib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from nixgen.errors import InputError

#: What builds a project that names nothing (PEP 517, "Source trees").
_LEGACY = "setuptools.build_meta:__legacy__"
_LEGACY_NEEDS = ("setuptools>=40.8.0",)

#: A pyproject.toml is no larger than this.
_MOST = 4 << 20


@dataclass(frozen=True, kw_only=True)
class Backend:
    """How a source is built.

    Attributes:
        reference: its build backend, as an object reference.
        path: directories of the source where the backend is.
        needs: requirements of the build.
        name, version: what ``[project]`` says of itself, where it does.
    """

    reference: str = _LEGACY
    path: tuple[str, ...] = ()
    needs: tuple[str, ...] = _LEGACY_NEEDS
    name: str | None = None
    version: str | None = None

    @classmethod
    def of(cls, place: Path, subdirectory: str, *, where: str) -> Backend:
        """Read what a source says.

        Args:
            place: an archive or a directory.
            subdirectory: where the project is in it.
            where: the source, for errors.

        Raises:
            InputError: it is no project, or says what is not understood.
        """
        found = _in_directory(place / subdirectory) if place.is_dir() else _in_archive(place, subdirectory, where)
        if not {"pyproject.toml", "setup.py"} & found.keys():
            raise InputError(
                "there is neither a pyproject.toml nor a setup.py, so that nothing says how to build it",
                where=where + (f", {subdirectory}" if subdirectory else ""),
                todo="name the subdirectory that holds the project, as in `name @ git+https://…#subdirectory=python`",
            )
        if "pyproject.toml" not in found:
            return cls()
        try:
            data = tomllib.loads(found["pyproject.toml"].decode("utf-8"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(f"its pyproject.toml cannot be read: {error}", where=where, todo=_TODO) from error
        return cls._parse(data, where)

    @classmethod
    def _parse(cls, data: dict[str, Any], where: str) -> Backend:
        project = data.get("project")
        project = project if isinstance(project, dict) else {}
        said = {key: project[key] for key in ("name", "version") if isinstance(project.get(key), str)}
        system = data.get("build-system")
        if system is None:
            return cls(**said)
        needs = system.get("requires") if isinstance(system, dict) else None
        path = system.get("backend-path", []) if isinstance(system, dict) else None
        reference = system.get("build-backend", _LEGACY) if isinstance(system, dict) else None
        if not _are_texts(needs) or not _are_texts(path) or not isinstance(reference, str):
            raise InputError("[build-system] is not as PEP 518 has it", where=where, todo=_TODO)
        for need in needs or ():
            try:
                Requirement(need)
            except InvalidRequirement as error:
                raise InputError(f"its build requires {need!r}: {error}", where=where, todo=_TODO) from error
        if any(Path(part).is_absolute() or ".." in PurePosixPath(part).parts for part in path or ()):
            raise InputError(f"backend-path leaves the project: {path}", where=where, todo=_TODO)
        return cls(reference=reference, path=tuple(path or ()), needs=tuple(needs or ()), **said)


_TODO = "correct it, or take another version"


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _in_directory(directory: Path) -> dict[str, bytes]:
    names = ("pyproject.toml", "setup.py")
    return {name: (directory / name).read_bytes()[:_MOST] for name in names if (directory / name).is_file()}


def _in_archive(archive: Path, subdirectory: str, where: str) -> dict[str, bytes]:
    """Return the two files that matter of an archive, which has one directory at its top."""
    found: dict[str, bytes] = {}
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                for name in _wanted(opened.namelist(), subdirectory):
                    with opened.open(name) as file:
                        found[PurePosixPath(name).name] = file.read(_MOST)
        else:
            with tarfile.open(archive) as packed:
                members = {member.name: member for member in packed.getmembers() if member.isfile()}
                for name in _wanted(members, subdirectory):
                    if (content := packed.extractfile(members[name])) is not None:
                        found[PurePosixPath(name).name] = content.read(_MOST)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"its archive cannot be read: {error}", where=where, todo="take another version, or get the archive anew"
        ) from error
    return found


def _wanted(names: Iterable[str], subdirectory: str) -> list[str]:
    names = list(names)
    tops = {PurePosixPath(name).parts[0] for name in names if PurePosixPath(name).parts}
    alone = len(tops) == 1 and all("/" in name.removeprefix("./") or name.endswith("/") for name in names)
    start = PurePosixPath(next(iter(tops)) if alone else "", subdirectory)
    wanted = {start / name for name in ("pyproject.toml", "setup.py")}
    return [name for name in names if PurePosixPath(name) in wanted]
