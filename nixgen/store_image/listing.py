"""What a store image holds, and what it stands on: the list beside it, ``FILE.json``.

The list is what a next image is made on (``--on``), and the UUID of the image's file system follows from the list: a
list that belongs to another image is found out, and so is one that somebody has changed.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nixgen.errors import InputError
from nixgen.store import Registration

FORMAT = 1

#: What kind of file it is.
_KIND = "nixgen-store-image"

_AGAIN = "give the FILE of `nixgen image --store` with the FILE.json that it has written beside, or make both again"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A store path of an image.

    Attributes:
        registration: what Nix's database says of it; without a deriver, which no image holds.
        content: how Nix writes that the path follows from its content, as of a leaf; "" for another.
    """

    registration: Registration
    content: str = ""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a store image holds.

    Attributes:
        store: the directory that store paths begin with.
        environments: store paths of the environments, sorted; those of the images below too.
        entries: what is in this image, by store path.
        below: what is in the images that it stands on, by store path.
        images: UUIDs of those, the one that it stands on first.
    """

    store: str
    environments: Sequence[str]
    entries: Mapping[str, Entry]
    below: Mapping[str, Entry] = field(default_factory=dict)
    images: Sequence[str] = ()

    def content(self) -> bytes:
        """Return it as it is written: the same bytes for the same."""
        said = {
            "kind": _KIND,
            "format": FORMAT,
            "store": self.store,
            "images": list(self.images),
            "environments": list(self.environments),
            "paths": {path: _said(entry) for path, entry in sorted(self.entries.items())},
            "below": {path: _said(entry) for path, entry in sorted(self.below.items())},
        }
        return (json.dumps(said, indent=1) + "\n").encode()

    @property
    def uuid(self) -> str:
        """The UUID of the image's file system."""
        return _uuid(self.content())

    @property
    def all(self) -> dict[str, Entry]:
        """All that is there where the image is mounted over those that it stands on, by store path."""
        return {**self.below, **self.entries}


def listing_of(image: Path) -> Path:
    """Return where the list of an image lies."""
    return image.with_name(f"{image.name}.json")


def read_listing(image: Path, found: str) -> Listing:
    """Read the list beside an image.

    Args:
        image: the image's file.
        found: the UUID of its file system.

    Raises:
        InputError: there is none, it cannot be understood, or belongs to another image.
    """
    path = listing_of(image)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError("there is no list of what the image holds", where=str(path), todo=_AGAIN) from None
    if _uuid(content) != found:
        raise InputError(f"the list is of another image than {image.name}", where=str(path), todo=_AGAIN)
    # The UUID shows that what follows is what nixgen has written.
    said = json.loads(content)
    if said.get("format") != FORMAT:
        raise InputError(
            f"the list is of format {said.get('format')}, and this nixgen knows {FORMAT}",
            where=str(path),
            todo="make the image again, or take the nixgen that has made it",
        )
    return Listing(
        store=said["store"],
        images=said["images"],
        environments=said["environments"],
        entries={path: _entry(path, one) for path, one in said["paths"].items()},
        below={path: _entry(path, one) for path, one in said["below"].items()},
    )


def _said(entry: Entry) -> dict[str, Any]:
    one = entry.registration
    said: dict[str, Any] = {"sha256": one.nar_hash, "size": one.nar_size, "references": list(one.references)}
    return {**said, "content": entry.content} if entry.content else said


def _entry(path: str, said: Mapping[str, Any]) -> Entry:
    registration = Registration(
        path=path, nar_hash=said["sha256"], nar_size=said["size"], deriver="", references=tuple(said["references"])
    )
    return Entry(registration=registration, content=said.get("content", ""))


def _uuid(content: bytes) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(content).digest()[:16], version=5))
