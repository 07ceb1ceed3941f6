"""``[tool.nixgen]`` of a project's pyproject.toml: what its user says beside the requirements."""

from __future__ import annotations

import fnmatch
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import InputError
from .model import BuildSettings, Overrides, WheelIndex

if TYPE_CHECKING:
    from .mirrors import Mirror

#: What ``[tool.nixgen]`` may have.
_NAMES = ("build", "cache", "mirror", "npm", "overlaps", "placement", "prefer", "python", "venv")

_EXAMPLE = 'write a table such as [tool.nixgen.placement.package] with copy = ["package/data/*"]'


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a user says.

    Attributes:
        prefer: pattern of paths in an environment to the package whose file stands there.
        placement: what is said of a package's files, by its normalized name.
        overlaps: whether one wheel wins over another that brings other files for one path; else they are refused.
        mirrors: from where wheels are fetched in place of their URLs.
        caches: from where wheels and what is made of them are taken first; a directory is relative to the project's.
        builds: what is said of how a package is built from its source, by its normalized name; that of
            ``[tool.uv]`` too (``extra-build-dependencies``, ``extra-build-variables``, ``config-settings-package``).
        build_constraints: requirements that restrict what builds get (``[tool.uv] build-constraint-dependencies``).
        named_builds: the packages that ``[tool.nixgen.build]`` names.
        no_build, from_source: whether nothing is built, and what is though it has wheels (``[tool.uv] no-build``,
            ``no-binary-package``).
        standalone: whether the lock names a Python that is fetched; None where nothing is said.
        npm: what is said of npm's packages (``nixgen.npm.manifest.names_of``).
    """

    prefer: Mapping[str, str] = field(default_factory=dict)
    placement: Mapping[str, Overrides] = field(default_factory=dict)
    overlaps: bool = True
    mirrors: tuple[Mirror, ...] = ()
    caches: tuple[str, ...] = ()
    builds: Mapping[str, BuildSettings] = field(default_factory=dict)
    build_constraints: tuple[str, ...] = ()
    named_builds: tuple[str, ...] = ()
    no_build: bool = False
    from_source: tuple[str, ...] = ()
    standalone: bool | None = None
    npm: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Settings:
        """Read a pyproject.toml; where there is none, nothing is said.

        Raises:
            InputError: it is no TOML, or says what is not understood.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error
        # Imported here: a build of a project that says nothing needs none of it.
        import tomllib

        from packaging.utils import canonicalize_name

        from .mirrors import mirrors_of
        from .sources.settings import build_settings, requirements

        try:
            data = tomllib.loads(text)
        except ValueError as error:
            raise _unreadable(path, error) from error
        said, uv = (data.get("tool", {}).get(name, {}) for name in ("nixgen", "uv"))
        _check_names(said, path)
        prefer = said.get("prefer", {})
        if not isinstance(prefer, dict) or not all(isinstance(value, str) for value in prefer.values()):
            raise InputError(
                "[tool.nixgen.prefer] is no table of paths and packages",
                where=str(path),
                todo='write lines such as "bin/tool" = "package"',
            )
        placement = said.get("placement", {})
        if not isinstance(placement, dict):
            raise InputError("[tool.nixgen.placement] is no table of packages", where=str(path), todo=_EXAMPLE)
        overlaps = said.get("overlaps", "win")
        if overlaps not in ("win", "refuse"):
            raise InputError(
                f"[tool.nixgen] overlaps is {overlaps!r}", where=str(path), todo='write overlaps = "win" or "refuse"'
            )
        mirror = said.get("mirror", [])
        texts = [mirror] if isinstance(mirror, str) else mirror
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise InputError(
                "[tool.nixgen] mirror is neither a URL nor a list of them",
                where=str(path),
                todo='write mirror = "https://mirror.example.org/pypi"',
            )
        cache = said.get("cache", [])
        caches = [cache] if isinstance(cache, str) else cache
        if not isinstance(caches, list) or not all(isinstance(text, str) and text for text in caches):
            raise InputError(
                "[tool.nixgen] cache is neither a URL or directory nor a list of them",
                where=str(path),
                todo='write cache = "https://cache.example.org"',
            )
        python = said.get("python")
        if python not in (None, "standalone", "machine"):
            raise InputError(
                f"[tool.nixgen] python is {python!r}",
                where=str(path),
                todo='write python = "standalone" (the lock names one that is fetched) or "machine"; '
                "versions are chosen by `nixgen lock --python` or .python-version",
            )
        npm = said.get("npm", {})
        if not isinstance(npm, dict) or npm.keys() - {"scripts", "unprepared"}:
            raise InputError(
                "[tool.nixgen.npm] is not understood",
                where=str(path),
                todo='write scripts = ["name"], the packages whose install scripts run, or unprepared = ["name"], '
                "those that are taken as they are in Git; there is nothing else",
            )
        return cls(
            npm=npm,
            mirrors=mirrors_of(texts, where=f"{path}, [tool.nixgen] mirror"),
            caches=tuple(text if "://" in text else str(path.parent / text) for text in caches),
            standalone=None if python is None else python == "standalone",
            overlaps=overlaps == "win",
            prefer=prefer,
            placement={canonicalize_name(name): _overrides(name, table, path) for name, table in placement.items()},
            builds=build_settings(said.get("build", {}), uv, path),
            named_builds=tuple(map(canonicalize_name, said.get("build", {}))),
            build_constraints=tuple(requirements(uv.get("build-constraint-dependencies"))),
            no_build=uv.get("no-build") is True,
            from_source=tuple(map(canonicalize_name, requirements(uv.get("no-binary-package")))),
        )

    def unmet(self, wheels: Iterable[WheelIndex], built: Container[str] = ()) -> Iterator[str]:
        """Yield a line for each package and pattern of ``placement`` that no wheel of a lock has anything for.

        Args:
            wheels: those of the lock.
            built: the names of the packages that are built; each other one that ``build`` names is a line too.
        """
        for name in self.named_builds:
            if name not in built:
                yield f"[tool.nixgen.build.{name}]: the lock builds no package of that name"
        files: dict[str, set[str]] = {}
        for wheel in wheels:
            files.setdefault(wheel.name, set()).update(wheel.files)
        for name, overrides in self.placement.items():
            if name not in files:
                yield f"[tool.nixgen.placement.{name}]: the lock has no package of that name"
                continue
            for key in ("copy", "link"):
                for pattern in getattr(overrides, key):
                    if not fnmatch.filter(files[name], pattern):
                        yield f"[tool.nixgen.placement.{name}]: {key} has {pattern!r}, which no file of the wheel fits"


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f"cannot read it: {error}", where=str(path), todo="repair the file")


def _check_names(said: Mapping[str, Any], path: Path) -> None:
    """See that all settings are known: one that is misspelt would do nothing, and say nothing.

    Raises:
        InputError: some are not; names all of them.
    """
    unknown = [name for name in said if name not in _NAMES]
    if not unknown:
        return
    import difflib

    near = [match for name in unknown for match in difflib.get_close_matches(name, _NAMES, n=1)]
    raise InputError(
        f"[tool.nixgen] has no setting named {', '.join(unknown)}",
        where=str(path),
        todo=f"write {', '.join(near)}" if len(near) == len(unknown) else f"there are {', '.join(_NAMES)}",
    )


def _overrides(name: str, table: Any, path: Path) -> Overrides:
    """Read the table of one package.

    Raises:
        InputError: with everything that is wrong in it.
    """
    table_name = f"[tool.nixgen.placement.{name}]"
    if not isinstance(table, dict):
        raise InputError(f"{table_name} is no table", where=str(path), todo=_EXAMPLE)
    problems = [f"{key} is unknown" for key in table if key not in ("copy", "link", "solid")]
    for key in ("copy", "link"):
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(pattern, str) for pattern in value):
            problems.append(f"{key} is no list of patterns")
    if not isinstance(table.get("solid", False), bool):
        problems.append("solid is neither true nor false")
    if problems:
        raise InputError(
            f"{table_name} is not understood: {', '.join(problems)}",
            where=str(path),
            todo="say copy and link (lists of patterns of paths in the wheel) or solid = true",
        )
    return Overrides(
        copy=tuple(table.get("copy", ())), link=tuple(table.get("link", ())), solid=table.get("solid", False)
    )
