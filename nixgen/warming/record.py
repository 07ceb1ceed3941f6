"""What a root keeps, as the text in the store that it leads to says it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixgen.errors import InputError
from nixgen.store import Store, Text

if TYPE_CHECKING:
    from nixgen.store.daemon import Daemon

#: What these texts are called in the store, and the format that they have.
_NAME = "nixgen-warm"
_FORMAT = 1

#: How long what an interrupted run has resolved counts, in seconds: after that, newer versions may be there.
_FRESH = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class KeptWheel:
    """A wheel that is kept for a place.

    Attributes:
        wheel: its file name.
        name, version: of the distribution.
        sha256: of the wheel; "" of one that is built.
        index: SHA-256 of its index; "" of one of which nothing is pinned.
        place: the key of the place (``Place.key``).
        url: where it was asked for by its URL; else "".
        tree: its tree; "" for leaves alone.
        leaves: the text that keeps the leaves which no tree of it names; "" for none.
        size: bytes of the tree, without its leaves.
    """

    wheel: str
    name: str
    version: str
    sha256: str
    index: str
    place: str
    url: str = ""
    tree: str = ""
    leaves: str = ""
    size: int = 0

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What a wheel of a list is known by."""
        return (self.wheel, self.index, self.url, self.place)

    def paths(self) -> list[str]:
        """Return the store paths that keep it."""
        return [path for path in (self.tree, self.leaves) if path]


@dataclass(frozen=True, kw_only=True)
class KeptEntry:
    """An entry of a list that is kept for a place.

    Attributes:
        entry: its key (``Entry.key``).
        place: the key of the place.
        wheels: what it brings.
        others: store paths of what else is kept for it.
        npm: bytes of the store path of each package of npm.
        is_lock: whether it is a lock.
    """

    entry: str
    place: str
    wheels: Sequence[KeptWheel]
    others: Sequence[str] = ()
    npm: Mapping[str, int] = field(default_factory=dict)
    is_lock: bool = False

    def paths(self) -> list[str]:
        """Return the store paths that keep it."""
        return [*(path for wheel in self.wheels for path in wheel.paths()), *self.others, *self.npm]


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is kept.

    Attributes:
        made_by: a hash of the Nix library that made it: another one may make other trees.
        asked: a hash of how entries were resolved: otherwise, they may be other versions.
        entries: by the keys of entry and place.
    """

    made_by: str = ""
    asked: str = ""
    entries: Mapping[tuple[str, str], KeptEntry] = field(default_factory=dict)

    def wheels(self) -> list[KeptWheel]:
        """Return every wheel once."""
        return [*dict.fromkeys(wheel for entry in self.entries.values() for wheel in entry.wheels)]

    def npm(self) -> dict[str, int]:
        """Return the size of the store path of every package of npm."""
        return {path: size for entry in self.entries.values() for path, size in entry.npm.items()}

    def paths(self) -> list[str]:
        """Return every store path that it keeps, sorted."""
        return sorted({path for entry in self.entries.values() for path in entry.paths()})

    def reusable(self) -> dict[tuple[str, str, str, str], KeptWheel]:
        """Return the wheels of lists by their identities; those of a lock are as that lock wants them."""
        listed = (entry for entry in self.entries.values() if not entry.is_lock)
        return {wheel.identity: wheel for entry in listed for wheel in entry.wheels}

    def write(self, store: Store, link: Path, hold: Daemon, before: str = "") -> str:
        """Write it into the store, have a link lead there, and return its store path.

        Args:
            store: holds all that it names.
            link: the root; replaced at once.
            hold: keeps the text until the root counts.
            before: the record that this one continues, and keeps.

        Raises:
            NixError: the store cannot be written, or lacks a path.
        """
        wheels = {wheel: number for number, wheel in enumerate(self.wheels())}
        said = {
            "nixgenWarm": _FORMAT,
            "madeBy": self.made_by,
            "asked": self.asked,
            "before": before,
            "wheels": [asdict(wheel) for wheel in wheels],
            "entries": [
                {
                    "entry": entry.entry,
                    "place": entry.place,
                    "wheels": [wheels[wheel] for wheel in entry.wheels],
                    "others": list(entry.others),
                    **({"npm": dict(entry.npm)} if entry.npm else {}),
                    "isLock": entry.is_lock,
                }
                for entry in self.entries.values()
            ],
        }
        keeps = [*self.paths(), *([before] if before else [])]
        (path,) = store.write_texts([Text(name=_NAME, content=json.dumps(said, indent=1) + "\n", keeps=keeps)])
        hold.hold([path])
        link.parent.mkdir(parents=True, exist_ok=True)
        store.realise(path, link)
        return path

    @classmethod
    def of_entries(cls, entries: Iterable[KeptEntry], made_by: str, asked: str) -> Record:
        """Return the record of some entries, in the order of their keys: the same are the same bytes."""
        by_key = {(entry.entry, entry.place): entry for entry in entries}
        return cls(made_by=made_by, asked=asked, entries=dict(sorted(by_key.items())))

    @classmethod
    def read(cls, link: Path) -> Record:
        """Read what a root keeps, with what the record continues; nothing where there is no root.

        Raises:
            InputError: the link is no root of such a record.
        """
        entries: dict[tuple[str, str], KeptEntry] = {}
        made_by = asked = ""
        path: Path | None = link
        if not link.is_symlink() and not link.exists():
            return cls()
        while path is not None and path.exists():  # a link into a store that is gone keeps nothing
            try:
                data = json.loads(path.read_bytes())
                known = data["nixgenWarm"] == _FORMAT
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise InputError(
                    "this is no root of `nixgen warm`",
                    where=str(link),
                    todo="name another link (-o PATH), or remove this one",
                ) from error
            if not known:
                return cls()  # by another nixgen: what it says is made anew
            made_by, asked = made_by or data["madeBy"], asked or data.get("asked", "")
            wheels = [KeptWheel(**wheel) for wheel in data["wheels"]]
            for one in data["entries"]:
                kept = _entry(one, wheels)
                entries.setdefault((kept.entry, kept.place), kept)
            path = Path(data["before"]) if data["before"] else None
        return cls(made_by=made_by, asked=asked, entries=entries)

    @classmethod
    def read_partial(cls, link: Path) -> Record:
        """Read what an interrupted run has kept; nothing where that is long ago."""
        try:
            fresh = time.time() - link.lstat().st_mtime < _FRESH
        except OSError:
            return cls()
        return cls.read(link) if fresh else cls()


def partial_of(link: Path) -> Path:
    """Return the link that keeps what a run has done that is not at its end."""
    return link.with_name(f"{link.name}.partial")


def _entry(said: Mapping[str, Any], wheels: Sequence[KeptWheel]) -> KeptEntry:
    return KeptEntry(
        entry=said["entry"],
        place=said["place"],
        wheels=tuple(wheels[number] for number in said["wheels"]),
        others=tuple(said["others"]),
        npm=said.get("npm", {}),
        is_lock=said["isLock"],
    )
