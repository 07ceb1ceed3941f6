"""Locks of format 1, which listed every file, as nixgen wrote them until it knew indexes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.locks import Json, Wheel, index_bytes


def write_format1(path: Path, *wheels: Wheel) -> None:
    """Write what format 1 said in place of a lock of format 2 that has these wheels."""
    lock = json.loads(path.read_text())
    contents = dict(wheels)
    described = {}
    for package in lock["packages"]:
        index = json.loads(index_bytes((package["wheel"], contents[package["wheel"]])))
        described[package["wheel"]] = {
            **{key: package[key] for key in ("name", "version", "url", "path", "sha256", "size") if key in package},
            **{key: index[key] for key in ("distInfo", "dataDir", "scripts") if key in index},
            "files": _without_sizes(index["files"]),
        }
    for target in lock["targets"]:
        keys = ("name", "version", "wheel", "when")
        target["packages"] = [{key: package[key] for key in keys if key in package} for package in lock["packages"]]
    del lock["packages"]
    path.write_text(json.dumps({**lock, "nixgen": 1, "wheels": described}))


def _without_sizes(tree: Json) -> Json:
    return {name: _without_sizes(entry) if isinstance(entry, dict) else _entry(entry) for name, entry in tree.items()}


def _entry(entry: str | list[object]) -> object:
    if not entry:
        return ""
    digest, _, *marks = entry
    return [digest, *marks] if marks else digest
