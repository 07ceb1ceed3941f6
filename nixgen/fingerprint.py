"""What the inputs of a lock said when it was made, so that a build can tell whether they say it still.

Every build asks: nothing is imported here that a build does not need.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

#: What a requirements file includes.
_INCLUDED = re.compile(r"^\s*(?:-[rc]\s*|--(?:requirement|constraint)(?:=|\s+))([^#]+?)\s*(?:#.*)?$", re.MULTILINE)

#: Keys of a package.json that have a part in what is locked.
_PACKAGE = (
    "name",
    "bin",
    "bundleDependencies",
    "dependencies",
    "devDependencies",
    "nixgen",
    "optionalDependencies",
    "overrides",
    "peerDependencies",
    "peerDependenciesMeta",
    "workspaces",
)

#: Keys of [project] that have a part in what is locked.
_PROJECT = ("name", "dependencies", "optional-dependencies", "requires-python", "dynamic")


def fingerprints(paths: Iterable[Path], base: Path) -> dict[str, str]:
    """Return a hash of what each input says, and of what it includes, by its path as the lock has it.

    Args:
        paths: the inputs; those that are not there are left out.
        base: the directory of the lock.
    """
    found: dict[str, str] = {}
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        name = os.path.relpath(path.absolute(), base.absolute()).replace(os.sep, "/")
        if name in found or not path.exists():
            continue
        if path.is_dir() or path.suffix == ".whl":
            wheels = sorted(path.glob("*.whl")) if path.is_dir() else [path]
            # Their hashes are in the lock, and compared where they are read.
            listed = json.dumps([[wheel.name, wheel.stat().st_size] for wheel in wheels])
            found[name] = hashlib.sha256(listed.encode()).hexdigest()[:16]
            continue
        content = path.read_bytes()
        found[name] = hashlib.sha256(_said(path.name, content)).hexdigest()[:16]
        if path.suffix in (".in", ".txt"):
            included = (match.strip("\"'") for match in _INCLUDED.findall(content.decode("utf-8", "replace")))
            waiting += [path.parent / name for name in included if "://" not in name]
    return dict(sorted(found.items()))


def changed(said: Mapping[str, str], base: Path) -> list[str]:
    """Return the inputs of a lock that do not say any more what they said, sorted.

    Args:
        said: what ``fingerprints`` gave when the lock was made.
        base: the directory of the lock.
    """
    now = fingerprints((base / name for name in said), base)
    return sorted(name for name, value in said.items() if now.get(name) != value)


def _said(name: str, content: bytes) -> bytes:
    """Return what counts of a file: of a project not how it is written, nor what has no part in a lock."""
    if name in ("package.json", "package-lock.json", "npm-shrinkwrap.json"):
        return _said_of_npm(name, content)
    if name != "pyproject.toml":
        return content.replace(b"\r\n", b"\n")
    import tomllib

    try:
        data = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return content
    project, tool = _table(data.get("project")), _table(data.get("tool"))
    if "nixgen" in tool:  # from where files come makes them no others
        tool = {**tool, "nixgen": {key: value for key, value in _table(tool["nixgen"]).items() if key != "mirror"}}
    counts = {
        "project": {key: project[key] for key in _PROJECT if key in project},
        "dependency-groups": data.get("dependency-groups"),
        "build-system": data.get("build-system"),
        "tool": {key: tool[key] for key in ("uv", "poetry", "pdm", "nixgen") if key in tool},
    }
    return json.dumps(counts, sort_keys=True, default=str).encode()


def _said_of_npm(name: str, content: bytes) -> bytes:
    try:
        data = _table(json.loads(content))
    except ValueError:
        return content
    if name == "package.json":
        counts: Any = {key: data[key] for key in _PACKAGE if key in data}
    else:  # npm writes the project's own version there too
        packages = _table(data.get("packages"))
        own = {key: value for key, value in _table(packages.get("")).items() if key != "version"}
        counts = {**data, "version": None, "packages": {**packages, "": own}}
    return json.dumps(counts, sort_keys=True).encode()


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
