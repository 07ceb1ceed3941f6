"""A locked project whose version is dynamic, as one with a version: uv compares the rest without running its code."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from nixgen.inputs.discover import read_text, read_toml
from nixgen.temporary import temporary_directory

#: What stands for the version in ``pyproject.toml`` and in the lock.
_VERSION = "0"


@contextlib.contextmanager
def with_static_versions(lock: Path, names: Collection[str]) -> Iterator[Path]:
    """Copy what uv compares of a ``uv.lock`` and its directories, for as long as it is needed.

    Every file lies below a temporary directory at the path that it has, so that all relative paths lead where they led.
    ``uv.lock`` says nothing of a version that is dynamic, and what changes it is no reason to lock again.

    Args:
        lock: the lock.
        names: the packages of its directories whose version is dynamic.

    Returns:
        the directory that stands for the lock's own.

    Raises:
        InputError: a file cannot be read.
    """
    text = read_text(lock)
    for name in names:
        block = rf'^(\[\[package\]\]\nname = "{re.escape(name)}"\n)(?=source = )'
        text = re.sub(block, rf'\g<1>version = "{_VERSION}"\n', text, flags=re.MULTILINE)
    directory = lock.absolute().parent
    with temporary_directory() as created:
        root = created.resolve()

        def place(path: Path) -> Path:
            target = root / os.path.normpath(path).lstrip(os.sep)
            target.parent.mkdir(parents=True, exist_ok=True)
            return target

        place(lock.absolute()).write_text(text, encoding="utf-8")
        directories = {directory}
        for package in read_toml(lock).get("package", []):
            source = package.get("source", {})
            directories |= {directory / source[kind] for kind in ("editable", "directory", "virtual") if kind in source}
            if "path" in source and (file := directory / source["path"]).is_file():
                place(file).symlink_to(file)
        for found in directories:
            if (file := found / "pyproject.toml").is_file():
                place(file).write_text(_without_dynamic_version(read_toml(file)), encoding="utf-8")
            if (settings := found / "uv.toml").is_file():
                shutil.copyfile(settings, place(settings))
        yield place(lock.absolute()).parent


def _without_dynamic_version(data: Mapping[str, Any]) -> str:
    project = dict(data.get("project", {}))
    if "version" in project.get("dynamic", []):
        project["dynamic"] = [field for field in project["dynamic"] if field != "version"]
        project["version"] = _VERSION
    written = {**data, "project": project} if "project" in data else data
    return "".join(f"{json.dumps(key)} = {_toml(value)}\n" for key, value in written.items())


def _toml(value: Any) -> str:
    """Return a value of a TOML file as TOML, in one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)
