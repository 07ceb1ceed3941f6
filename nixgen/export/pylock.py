"""An environment as ``pylock.toml`` (PEP 751): only what is chosen, for one target."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nixgen import __version__
from nixgen.model import LockedPackage, Source, WheelSource
from nixgen.targets import Target


def pylock(packages: Iterable[LockedPackage], target: Target, *, base: Path, place: Path) -> str:
    """Return the text of a ``pylock.toml``.

    Args:
        packages: those of the environment.
        target: what their wheels were chosen for; the file says that it is for nothing else.
        base: the directory that relative paths of the lock refer to.
        place: the directory that the file will be in.
    """
    environment = target.environment()
    markers = " and ".join(
        f"{name} == '{environment[name]}'"
        for name in ("python_version", "sys_platform", "platform_machine", "implementation_name")
    )
    lines = [
        'lock-version = "1.0"',
        f"environments = [{_text(markers)}]",
        f"requires-python = {_text('>=' + target.python.rstrip('t'))}",
        f"created-by = {_text(f'nixgen {__version__}')}",
    ]
    for package in sorted(packages, key=lambda package: package.name):
        lines += ["", "[[packages]]", f"name = {_text(package.name)}", f"version = {_text(package.version)}"]
        lines += [f"{key} = {_toml(value)}" for key, value in _place(package.wheel, base, place).items()]
    return "\n".join(lines) + "\n"


def _place(wheel: WheelSource, base: Path, place: Path) -> Mapping[str, Any]:
    if wheel.source is not None:
        return _of_source(wheel.source, base, place)
    said = {
        **({"url": wheel.url} if wheel.url else {"path": _path(wheel.path or "", base, place)}),
        **({} if wheel.size is None else {"size": wheel.size}),
        "hashes": {"sha256": wheel.sha256},
    }
    if wheel.direct:
        return {"archive": said}
    return {"wheels": [{"name": wheel.filename, **said}]}


def _of_source(source: Source, base: Path, place: Path) -> Mapping[str, Any]:
    inside = {"subdirectory": source.subdirectory} if source.subdirectory else {}
    if source.repository is not None:
        return {"vcs": {"type": "git", "url": source.repository, "commit-id": source.commit, **inside}}
    if source.directory is not None:
        return {"directory": {"path": _path(source.directory, base, place), **inside}}
    said = {
        **({"url": source.url} if source.url else {"path": _path(source.path or "", base, place)}),
        **({} if source.size is None else {"size": source.size}),
        "hashes": {"sha256": source.sha256},
    }
    if source.direct or inside:
        return {"archive": {**said, **inside}}
    return {"sdist": {"name": (source.url or source.path or "").rpartition("/")[2], **said}}


def _path(path: str, base: Path, place: Path) -> str:
    """Return a path of the lock as the file has it: relative to the file, unless it is absolute."""
    if path.startswith("/"):
        return path
    return os.path.relpath((base / path).absolute(), place.absolute()).replace(os.sep, "/")


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value) if isinstance(value, int) else _text(str(value))


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
