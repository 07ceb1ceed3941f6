"""A wheel's index as bytes: the same wheel gives the same, whoever reads it (docs/lock-format.md)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from nixgen.library import builder_module
from nixgen.model import WheelFile, WheelIndex, WheelSource

#: SHA-256 as base64 with padding.
_DIGEST_LENGTH = 44


def index_bytes(index: WheelIndex) -> bytes:
    """Return an index as it stands in the store, in ``nix/index`` and in the cache."""
    builder = builder_module("index")
    members = {path: builder.Member(file.size, file.executable, file.sha256) for path, file in index.files.items()}
    commands = {"console": index.console_scripts, "gui": index.gui_scripts}
    content: bytes = builder.to_bytes(members, index.dist_info, index.data_dir, commands)
    return content


def index_hash(index: WheelIndex) -> str:
    """Return the SHA-256 of an index's bytes, 64 hexadecimal digits: what a lock has of it."""
    return index.sha256 or hashlib.sha256(index_bytes(index)).hexdigest()


def parse_index(content: bytes, source: WheelSource, name: str) -> WheelIndex:
    """Read an index.

    Args:
        content: its bytes.
        source: the wheel it is of.
        name: normalized name of the distribution.

    Raises:
        ValueError: it is none, or of a format that this nixgen does not know.
    """
    try:
        data = json.loads(content)
        if data["index"] != builder_module("index").FORMAT:
            raise ValueError(f"it has format {data['index']}")
        scripts = data.get("scripts", {})
        return WheelIndex(
            source=source,
            name=name,
            dist_info=data["distInfo"],
            data_dir=data.get("dataDir"),
            files=dict(sorted(_files(data["files"]))),
            console_scripts=scripts.get("console", {}),
            gui_scripts=scripts.get("gui", {}),
            sha256=hashlib.sha256(content).hexdigest(),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is no index: {error!r}") from error


def _files(tree: Mapping[str, Any]) -> list[tuple[str, WheelFile]]:
    found = []
    directories = [("", tree)]
    while directories:
        prefix, directory = directories.pop()
        for name, entry in directory.items():
            path = prefix + name
            match entry:
                case dict():
                    directories.append((f"{path}/", entry))
                case "":
                    found.append((path, WheelFile(sha256="", size=0)))
                case [str(digest), int(size), *marks] if len(digest) == _DIGEST_LENGTH:
                    found.append((path, WheelFile(sha256=digest, size=size, executable="x" in marks)))
                case _:
                    raise ValueError(f"{path} has no hash but {entry!r}")
    return found
