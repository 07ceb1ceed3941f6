"""What a user says of how packages are built from their sources: ``[tool.nixgen.build.NAME]``, and uv's own tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from nixgen.errors import InputError
from nixgen.model import BuildSettings

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


def build_settings(said: Any, uv: Any, path: Path) -> dict[str, BuildSettings]:
    """Read what is said of builds, by package.

    Args:
        said: ``[tool.nixgen.build]``, which comes first.
        uv: ``[tool.uv]``: ``extra-build-dependencies``, ``extra-build-variables`` and ``config-settings-package``.
        path: the pyproject.toml, for errors.

    Raises:
        InputError: with everything of nixgen's table that is wrong.
    """
    if not isinstance(said, dict) or not all(isinstance(table, dict) for table in said.values()):
        raise InputError("[tool.nixgen.build] is no table of packages", where=str(path), todo=_BUILD_EXAMPLE)
    problems = []
    for name, table in said.items():
        problems += [
            f"[tool.nixgen.build.{name}] {key} is " + ("unknown" if key not in _BUILD_KEYS else _not_of(key))
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
            requires=(*requirements(dependencies.get(name)), *table.get("requires", ())),
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


def _not_of(key: str) -> str:
    return "neither true nor false" if isinstance(_BUILD_KEYS[key], bool) else f"no {_kind(key)}"


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


def requirements(value: Any) -> list[str]:
    """Return requirements as uv's settings have them: texts, or tables with ``requirement``."""
    items = value if isinstance(value, list) else []
    return [str(item.get("requirement", "")) if isinstance(item, dict) else str(item) for item in items]


def _strings(value: Any) -> dict[str, str]:
    return {name: str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def _frozen(settings: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    return {name: tuple(map(str, value)) if isinstance(value, list) else str(value) for name, value in settings.items()}
