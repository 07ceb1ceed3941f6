"""What a leaf is called and where it lies in the store, computed without Nix."""

from __future__ import annotations

import base64
import hashlib
import re

_SUFFIX = re.compile(r".+([.][A-Za-z0-9_+-]{1,10})", re.DOTALL)

#: Nix's base 32: no e, o, t, u (nix, src/libutil/hash.cc).
_ALPHABET = "0123456789abcdfghijklmnpqrsvwxyz"


def leaf_name(file: str) -> str:
    """Return the name of a file's leaf: ``file`` and the last suffix, 15 characters at most.

    ext4 keeps a link target of up to 59 characters in the inode, of which the store directory and the hash take 44
    (measured: 16.5 MB of links against 69.5 MB). ``nix/leaf.nix`` has the same rule, and a test holds them together.

    Args:
        file: the file's own name, without directories.
    """
    match = _SUFFIX.fullmatch(file)
    return f"file{match[1]}" if match else "file"


def leaf_path(file: str, sha256: str | bytes, store_dir: str = "/nix/store") -> str:
    """Return the store path of a leaf: a flat SHA-256 fixed output (Nix manual, "Store path specification").

    Args:
        file: the file's own name, without directories.
        sha256: SHA-256 of its content, base64 with padding or raw.
        store_dir: the store's directory; another one gives another path.
    """
    return flat_path(leaf_name(file), base64.b64decode(sha256) if isinstance(sha256, str) else sha256, store_dir)


def flat_path(name: str, digest: bytes, store_dir: str = "/nix/store", *, algorithm: str = "sha256") -> str:
    """Return the store path of a file that is known by a hash.

    Args:
        name: what the store path is called.
        digest: hash of the file's content.
        store_dir: the store's directory.
        algorithm: of the hash.
    """
    inner = hashlib.sha256(f"fixed:out:{algorithm}:{digest.hex()}:".encode()).hexdigest()
    fingerprint = hashlib.sha256(f"output:out:sha256:{inner}:{store_dir}:{name}".encode()).digest()
    return f"{store_dir}/{base32(_fold(fingerprint, 20))}-{name}"


def store_name(name: str) -> str:
    """Return what a store path can carry of a name; ``nix/names.nix`` has the same rule."""
    allowed = re.sub(r"[^A-Za-z0-9+._?=-]+", "-", name)
    return (f"_{allowed}" if allowed.startswith(".") else allowed)[:160]


def _fold(digest: bytes, size: int) -> bytes:
    """Return a hash compressed to ``size`` bytes by exclusive or, as store paths have it."""
    folded = bytearray(size)
    for position, byte in enumerate(digest):
        folded[position % size] ^= byte
    return bytes(folded)


def base32(digest: bytes) -> str:
    """Return bytes in Nix's base 32, whose last character holds the first bits."""
    number = int.from_bytes(digest, "little")
    length = (len(digest) * 8 + 4) // 5
    return "".join(_ALPHABET[number >> (5 * position) & 31] for position in reversed(range(length)))
