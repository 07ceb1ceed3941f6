"""A cache as one stream: a tar archive of its files, and last what they are for.

Memory does not grow with it: it is written piece by piece, and read to a temporary directory.
"""

from __future__ import annotations

import asyncio
import json
import re
import tarfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nixgen.caches.narinfo import base_name
from nixgen.caches.place import Place
from nixgen.errors import InputError

#: What stands last in a stream.
_CONTENTS = "nixgen.json"

#: What else may stand there.
_MEMBER = re.compile(r"nix-cache-info|[0-9a-z]{32}\.narinfo|nar/[0-9a-f]{64}\.nar(\.gz)?|nixgen\.json")

#: Of the version of what a stream says.
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a stream is for.

    Attributes:
        environments: the store paths that were asked for.
        wheels: file name, SHA-256, and that of its index, of each wheel to make leaves of.
        built: store path of each wheel that was built, and the SHA-256 of its index.
    """

    environments: Sequence[str]
    wheels: Sequence[tuple[str, str, str]]
    built: Mapping[str, str]

    def text(self) -> bytes:
        """Return it as the stream has it."""
        said = {
            "format": _FORMAT,
            "environments": list(self.environments),
            "wheels": [list(wheel) for wheel in self.wheels],
            "built": dict(self.built),
        }
        return json.dumps(said).encode()

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Read it.

        Raises:
            InputError: it is of another version, or damaged.
        """
        try:
            said = json.loads(data)
            if said["format"] != _FORMAT:
                raise ValueError(f"format {said['format']}")
            return cls(
                environments=[str(path) for path in said["environments"]],
                wheels=[(str(name), str(sha256), str(index)) for name, sha256, index in said["wheels"]],
                built={str(path): str(index) for path, index in said["built"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"what the stream says of itself is not understood: {error}",
                where="the stream",
                todo="push and pull with the same version of nixgen",
            ) from error


class Sending(Place):
    """A stream that is written.

    Args:
        stream: where to.
        there: names of store paths, or their first 32 characters, that the receiver has.
    """

    shown = "the stream"

    def __init__(self, stream: IO[bytes], there: Collection[str]) -> None:
        self._there = {base_name(name.strip())[:32] for name in there}
        self._archive = tarfile.open(mode="w|", fileobj=stream, format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._turn = asyncio.Lock()

    async def has(self, key: str) -> bool:
        return key.partition(".")[0] in self._there

    async def get(self, key: str, file: Path, most: int) -> bool:
        return False

    async def put(self, key: str, pieces: Callable[[], Iterable[bytes]], size: int) -> None:
        member = tarfile.TarInfo(key)
        member.size = size
        async with self._turn:
            await asyncio.to_thread(self._archive.addfile, member, _Reading(pieces()))

    async def end(self, manifest: Manifest) -> None:
        """Write what the stream is for, and its end."""
        text = manifest.text()
        await self.put(_CONTENTS, lambda: [text], len(text))
        self._archive.close()


class _Reading:
    """Pieces, to be read as of a file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._left = b""

    def read(self, count: int = 1 << 16, /) -> bytes:
        while len(self._left) < count and (piece := next(self._pieces, b"")):
            self._left += piece
        data, self._left = self._left[:count], self._left[count:]
        return data


def receive(stream: IO[bytes], directory: Path) -> Manifest:
    """Write the files of a stream to a directory, which is a cache then, and return what they are for.

    Raises:
        InputError: it is none, or was cut off.
    """
    last = None
    try:
        with tarfile.open(mode="r|", fileobj=stream) as archive:
            for member in archive:
                if not member.isreg() or not _MEMBER.fullmatch(member.name):
                    raise InputError(
                        f"the stream has a file that none of `nixgen push --stdout` has: {member.name[:100]!r}",
                        where="the stream",
                        todo="see where it comes from",
                    )
                source, place = archive.extractfile(member), directory / member.name
                assert source is not None
                place.parent.mkdir(exist_ok=True)
                with place.open("wb") as out:
                    while piece := source.read(1 << 20):
                        out.write(piece)
                if place.stat().st_size != member.size:
                    raise tarfile.ReadError("unexpected end of data")
                last = member.name
    except tarfile.TarError as error:
        raise InputError(
            f"the stream is cut off, or none of `nixgen push --stdout`: {error}",
            where="the stream",
            todo="see what the sender said, and send it again; nothing was taken",
        ) from error
    if last != _CONTENTS:
        raise InputError(
            "the stream was cut off", where="the stream", todo="see what the sender said; nothing was taken"
        )
    return Manifest.parse((directory / _CONTENTS).read_bytes())
