"""What a binary cache says of a store path: its ``.narinfo`` (Nix manual, "Binary Cache")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nixgen.errors import InputError
from nixgen.leaf import base32

#: More than that no path of nixgen's has, in bytes: an environment of TensorFlow names 13,000 leaves in 0.9 MB.
MAX_SIZE = 64 << 20


@dataclass(frozen=True, kw_only=True)
class NarInfo:
    """A store path in a cache.

    Attributes:
        path: the store path.
        url: where its serialisation is, below the cache.
        compression: how that is compressed, "none" for not at all.
        file_hash, file_size: SHA-256 (hexadecimal) and bytes of what is there; None where the cache does not say.
        nar_hash, nar_size: the same of the serialisation.
        references: the store paths that it needs.
        deriver: base name of the derivation that made it, "" for none.
        content: how its path follows from its content, as Nix writes it; "" where it does not.
        signatures: as they stand there.
    """

    path: str
    url: str
    compression: str
    nar_hash: str
    nar_size: int
    file_hash: str | None = None
    file_size: int | None = None
    references: Sequence[str] = ()
    deriver: str = ""
    content: str = ""
    signatures: Sequence[str] = ()

    @classmethod
    def parse(cls, text: str, *, where: str) -> NarInfo:
        """Read one.

        Args:
            text: what the cache has.
            where: where it was read, for the message.

        Raises:
            InputError: it lacks something, or says what is not understood.
        """
        lines = [line.partition(": ") for line in text.splitlines() if line.strip()]
        said = {name: value for name, _, value in lines}
        try:
            directory = said["StorePath"].rpartition("/")[0]
            return cls(
                path=said["StorePath"],
                url=said["URL"],
                compression=said.get("Compression", "bzip2"),
                nar_hash=_hexadecimal(said["NarHash"]),
                nar_size=int(said["NarSize"]),
                file_hash=_hexadecimal(said["FileHash"]) if "FileHash" in said else None,
                file_size=int(said["FileSize"]) if "FileSize" in said else None,
                references=tuple(f"{directory}/{name}" for name in said.get("References", "").split()),
                deriver=said.get("Deriver", ""),
                content=said.get("CA", ""),
                signatures=tuple(value for name, _, value in lines if name == "Sig"),
            )
        except (KeyError, ValueError) as error:
            raise InputError(
                f"the cache says nothing understandable of a store path: {error}",
                where=where,
                todo="see what is wrong with the cache, or push to an empty one",
            ) from error

    def text(self) -> str:
        """Return it as a cache has it."""
        lines = [f"StorePath: {self.path}", f"URL: {self.url}", f"Compression: {self.compression}"]
        if self.file_hash is not None:
            lines.append(f"FileHash: {_base32(self.file_hash)}")
        if self.file_size is not None:
            lines.append(f"FileSize: {self.file_size}")
        lines += [f"NarHash: {_base32(self.nar_hash)}", f"NarSize: {self.nar_size}"]
        lines.append("References: " + " ".join(base_name(path) for path in self.references))
        if self.deriver:
            lines.append(f"Deriver: {self.deriver}")
        lines += [f"Sig: {signature}" for signature in self.signatures]
        if self.content:
            lines.append(f"CA: {self.content}")
        return "".join(f"{line}\n" for line in lines)


def key_of(path: str) -> str:
    """Return where a cache has the narinfo of a store path."""
    return f"{base_name(path)[:32]}.narinfo"


def base_name(path: str) -> str:
    """Return a store path without the store's directory."""
    return path.rpartition("/")[2]


def content_of_flat(sha256: str) -> str:
    """Return how Nix writes that a path is a file with this SHA-256 (hexadecimal), and follows from that."""
    return f"fixed:{_base32(sha256)}"


def _base32(sha256: str) -> str:
    return f"sha256:{base32(bytes.fromhex(sha256))}"


_DIGITS = {character: number for number, character in enumerate("0123456789abcdfghijklmnpqrsvwxyz")}


def _hexadecimal(said: str) -> str:
    """Read a SHA-256 that is written in Nix's base 32 or hexadecimal, as hexadecimal.

    Raises:
        ValueError: it is neither.
    """
    kind, _, digits = said.partition(":")
    if kind != "sha256" or len(digits) not in (52, 64):
        raise ValueError(f"no SHA-256: {said}")
    if len(digits) == 64:
        return bytes.fromhex(digits).hex()
    try:
        number = sum(_DIGITS[digit] << (5 * position) for position, digit in enumerate(reversed(digits)))
        return number.to_bytes(32, "little").hex()
    except (KeyError, OverflowError) as error:
        raise ValueError(f"no SHA-256: {said}") from error
