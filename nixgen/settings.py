"""``[tool.nixgen]`` of a project's pyproject.toml: what its user says beside the requirements."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from .errors import InputError
from .mirrors import Mirror, mirrors_of
from .model import BuildSettings, Overrides, WheelIndex

_EXAMPLE = 'write a table such as [tool.nixgen.placement.package] with copy = ["package/data/*"]'


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a user says.

    Attributes:
        prefer: pattern of paths in an environment to the package whose file stands there.
        placement: what is said of a package's files, by its normalized name.
        overlaps: whether one wheel wins over another that brings other files for one path; else they are refused.
        mirrors: from where wheels are fetched in place of their URLs.
        builds: what is said of how a package is built from its source, by its normalized name; that of
            ``[tool.uv]`` too (``extra-build-dependencies``, ``extra-build-variables``, ``config-settings-package``).
        build_constraints: requirements that restrict what builds get (``[tool.uv] build-constraint-dependencies``).
        no_build, from_source: whether nothing is built, and what is though it has wheels (``[tool.uv] no-build``,
            ``no-binary-package``).
        standalone: whether the lock names a Python that is fetched; None where nothing is said.
    """

    prefer: Mapping[str, str] = field(default_factory=dict)
    placement: Mapping[str, Overrides] = field(default_factory=dict)
    overlaps: bool = True
    mirrors: tuple[Mirror, ...] = ()
    builds: Mapping[str, BuildSettings] = field(default_factory=dict)
    build_constraints: tuple[str, ...] = ()
    no_build: bool = False
    from_source: tuple[str, ...] = ()
    standalone: bool | None = None

    @classmethod
    def read(cls, path: Path) -> Settings:
        """Read a pyproject.toml; where there is none, nothing is said.

        Raises:
            InputError: it is no TOML, or says what is not understood.
        """
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read it: {error}", where=str(path), todo="repair the file") from error
        said, uv = (data.get("tool", {}).get(name, {}) for name in ("nixgen", "uv"))
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
        python = said.get("python")
        if python not in (None, "standalone", "machine"):
            raise InputError(
                f"[tool.nixgen] python is {python!r}",
                where=str(path),
                todo='write python = "standalone" (the lock names one that is fetched) or "machine"; '
                "versions are chosen by `nixgen lock --python` or .python-version",
            )
        return cls(
            mirrors=mirrors_of(texts, where=f"{path}, [tool.nixgen] mirror"),
            standalone=None if python is None else python == "standalone",
            overlaps=overlaps == "win",
            prefer=prefer,
            placement={canonicalize_name(name): _overrides(name, table, path) for name, table in placement.items()},
            builds=_builds(said.get("build", {}), uv, path),
            build_constraints=tuple(_texts(uv.get("build-constraint-dependencies"))),
            no_build=uv.get("no-build") is True,
            from_source=tuple(map(canonicalize_name, _texts(uv.get("no-binary-package")))),
        )

    def unmet(self, wheels: Iterable[WheelIndex]) -> Iterator[str]:
        """Yield a line for each package and pattern of ``placement`` that no wheel of a lock has anything for."""
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


#: The keys of ``[tool.nixgen.build.NAME]``, with a value of each kind.
_BUILD_KEYS = {
    "requires": ["setuptools-scm"],
    "env": {"VARIABLE": "value"},
    "config-settings": {"setting": "value"},
    "packages": ["pkg-config"],
    "programs": ["cmake"],
    "accept": True,
}
_BUILD_EXAMPLE = 'write a table such as [tool.nixgen.build.package] with requires = ["setuptools-scm"]'


def _builds(said: Any, uv: Any, path: Path) -> dict[str, BuildSettings]:
    """Read ``[tool.nixgen.build]``, and what uv's settings say of builds.

    Raises:
        InputError: with everything of nixgen's table that is wrong.
    """
    if not isinstance(said, dict) or not all(isinstance(table, dict) for table in said.values()):
        raise InputError("[tool.nixgen.build] is no table of packages", where=str(path), todo=_BUILD_EXAMPLE)
    problems = []
    for name, table in said.items():
        problems += [
            f"[tool.nixgen.build.{name}] {key} is " + ("unknown" if key not in _BUILD_KEYS else f"no {_kind(key)}")
            for key, value in table.items()
            if key not in _BUILD_KEYS or not _fits(key, value)
        ]
    if problems:
        keys = ", ".join(f"{key} ({_kind(key)})" for key in _BUILD_KEYS)
        raise InputError("; ".join(problems), where=str(path), todo=f"say {keys}")
    own: dict[str, Any] = {canonicalize_name(name): table for name, table in said.items()}
    dependencies = _of_uv(uv, "extra-build-dependencies")
    variables = _of_uv(uv, "extra-build-variables")
    settings = _of_uv(uv, "config-settings-package")
    found = {}
    for name in sorted({*own, *dependencies, *variables, *settings}):
        table = own.get(name, {})
        found[name] = BuildSettings(
            requires=(*_texts(dependencies.get(name)), *table.get("requires", ())),
            env={**_strings(variables.get(name)), **table.get("env", {})},
            config_settings=_frozen({**settings.get(name, {}), **table.get("config-settings", {})}),
            packages=tuple(table.get("packages", ())),
            programs=tuple(table.get("programs", ())),
            accept=table.get("accept", False),
        )
    return found


def _kind(key: str) -> str:
    example = _BUILD_KEYS[key]
    if isinstance(example, dict):
        return "table of texts"
    return "list of texts" if isinstance(example, list) else "true or false"


def _fits(key: str, value: Any) -> bool:
    example = _BUILD_KEYS[key]
    if isinstance(example, dict):
        lists = key == "config-settings"
        return isinstance(value, dict) and all(
            isinstance(item, str) or (lists and _is_list(item)) for item in value.values()
        )
    return _is_list(value) if isinstance(example, list) else isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _of_uv(uv: Any, key: str) -> dict[str, Any]:
    table = uv.get(key, {}) if isinstance(uv, dict) else {}
    return {canonicalize_name(name): value for name, value in table.items()} if isinstance(table, dict) else {}


def _texts(value: Any) -> list[str]:
    """Return requirements of uv's, which are texts, or tables with ``requirement``."""
    items = value if isinstance(value, list) else []
    return [str(item.get("requirement", "")) if isinstance(item, dict) else str(item) for item in items]


def _strings(value: Any) -> dict[str, str]:
    return {name: str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def _frozen(settings: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    return {name: tuple(map(str, value)) if isinstance(value, list) else str(value) for name, value in settings.items()}
