"""The project itself, which is a package of its own environment where it can be built."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from nixgen.errors import InputError
from nixgen.inputs import running
from nixgen.inputs.discover import read_toml
from nixgen.inputs.options import ResolverOptions
from nixgen.inputs.sources import relative_to
from nixgen.model import LockedPackage, Source, WheelSource
from nixgen.temporary import temporary_directory


def own_package(pyproject: Path, *, base: Path, options: ResolverOptions) -> LockedPackage | None:
    """Return a project as a package that is built of its directory; None where its tool does not install it.

    uv installs one with ``[build-system]``, unless ``[tool.uv] package`` says otherwise; Poetry one without
    ``package-mode = false``; PDM one with ``[build-system]`` or ``distribution = true``. A version that only its build
    backend knows, as that of a repository's last tag, is asked of it: a build does not see the repository.

    Args:
        pyproject: its ``pyproject.toml``.
        base: the directory of the lock.
        options: the indexes, for what the backend needs.

    Raises:
        InputError: its backend cannot say its version.
    """
    data = read_toml(pyproject) if pyproject.is_file() else {}
    if not _is_package(data):
        return None
    project, poetry = _table(data, "project"), _table(_table(data, "tool"), "poetry")
    name = canonicalize_name(str(project.get("name") or poetry.get("name") or ""))
    if not name:
        return None
    version = project.get("version") or poetry.get("version")
    directory = relative_to(base, pyproject.parent, absolute=False)
    return LockedPackage(
        name=name,
        version=str(version) if version else _version(pyproject.parent, name, options),
        wheel=WheelSource(filename=name, source=Source(directory=directory, why="the project itself")),
    )


def _is_package(data: Mapping[str, Any]) -> bool:
    tool = _table(data, "tool")
    said = _table(tool, "uv").get("package")
    if isinstance(said, bool):
        return said
    if _table(tool, "poetry").get("package-mode") is False or _table(tool, "pdm").get("distribution") is False:
        return False
    return "build-system" in data or _table(tool, "pdm").get("distribution") is True


def _version(directory: Path, name: str, options: ResolverOptions) -> str:
    """Return the version that a project's backend gives, which runs in the project's own directory for that.

    uv builds the project; of its metadata alone it does not say the version (0.13).
    """
    with temporary_directory() as created:
        target = created.resolve() / "target"
        arguments = ["pip", "install", "--no-deps", "--reinstall", "--target", str(target)]
        try:
            running.run(
                [*arguments, *options.shared_arguments(), str(directory.absolute())],
                cwd=directory,
                variables=options.environment(),
            )
        except running.UvFailure as failure:
            raise InputError(
                f"its build backend does not say its version: {failure}",
                where=str(directory / "pyproject.toml"),
                todo="repair the project (`uv build` shows the same), or leave it out with --no-project",
            ) from failure
        for found in target.glob("*.dist-info"):
            of, _, version = found.name.removesuffix(".dist-info").partition("-")
            if canonicalize_name(of) == name:
                return version
    raise InputError(
        f"its build backend builds another project than {name}",
        where=str(directory / "pyproject.toml"),
        todo="correct its name, or leave it out with --no-project",
    )


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key, {})
    return value if isinstance(value, dict) else {}
