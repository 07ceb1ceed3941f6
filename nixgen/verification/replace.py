"""Putting restored content in the place of damaged store paths: at once, so that what runs meets the old or the new."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import secrets
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

from nixgen.errors import NixError
from nixgen.leaf import base32, leaf_path
from nixgen.store import Store
from nixgen.verification.derivations import make_like_nix, remove
from nixgen.verification.nar import nar

#: renameat2 and renameatx_np: both names exchange what they stand for (Linux 3.15, macOS 10.12).
_AT_FDCWD = -2 if sys.platform == "darwin" else -100
_EXCHANGE = 2


def spare_path(store_dir: str) -> Path:
    """Return a path beside the store's own that nothing has; Nix collects what an interrupted repair leaves there."""
    return Path(store_dir, f".nixgen-{secrets.token_hex(8)}")


def replace(path: Path, restored: Path) -> None:
    """Put what was restored in the place of a store path, and remove what stood there.

    Args:
        path: the store path, which may not be there.
        restored: beside it, with the modes that Nix gives; gone afterwards.

    Raises:
        OSError: it cannot be done; the store path is what it was.
    """
    if os.path.lexists(path) and (restored.is_dir() or (path.is_dir() and not path.is_symlink())):
        _exchange(path, restored)
        remove(restored)
    else:
        os.replace(restored, path)  # noqa: PTH105


def _exchange(first: Path, second: Path) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    function = getattr(library, "renameatx_np" if sys.platform == "darwin" else "renameat2", None)
    code = errno.ENOSYS
    if function is not None:
        if function(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _EXCHANGE) == 0:
            return
        code = ctypes.get_errno()
    if code not in (errno.ENOSYS, errno.EINVAL):
        raise OSError(code, os.strerror(code), str(first))
    # A system or file system without exchange: two steps, as Nix does it, and back where the second fails.
    aside = first.with_name(f"{second.name}-old")
    first.rename(aside)
    try:
        second.rename(first)
    except BaseException:
        aside.rename(first)
        raise
    aside.rename(second)


def forget_link(store_dir: str, good: Path, bad: Path) -> None:
    """Remove the damaged file from those that Nix replaces equal files with (``auto-optimise-store``).

    Nix finds it by the hash that it should have, and would give the damage to the next file with that hash.

    Args:
        store_dir: the store's directory.
        good: the content that the file should have.
        bad: the damaged file.
    """
    link = Path(store_dir, ".links", base32(bytes.fromhex(nar(str(good)).sha256)))
    try:
        if os.path.samestat(link.lstat(), bad.lstat()):
            link.unlink()
    except OSError:
        pass  # there is none


class Writer:
    """Takes leaves as a connection to Nix's daemon does, and puts them in the place of damaged ones.

    Args:
        store_dir: the store's directory.

    Attributes:
        written: store paths that were replaced.
    """

    def __init__(self, store_dir: str) -> None:
        self.written: list[str] = []
        self._store_dir = store_dir
        self._lock = threading.Lock()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is under way."""

    def add(self, name: str, content: bytes | Iterable[bytes], path: str) -> None:
        """Write one leaf, see that it is the one, and put it in its place.

        Args:
            name: of the store path.
            content: the file's bytes, in one or in pieces.
            path: the store path that it must have.

        Raises:
            NixError: it is another, or cannot be written; what is there stays.
        """
        spare, digest = spare_path(self._store_dir), hashlib.sha256()
        try:
            try:
                with spare.open("xb") as file:
                    for piece in (content,) if isinstance(content, bytes) else content:
                        digest.update(piece)
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
                if leaf_path(name, digest.digest(), self._store_dir) != path:
                    raise NixError("what was fetched is another file", where=path)
                make_like_nix(spare)
                forget_link(self._store_dir, spare, Path(path))
                replace(Path(path), spare)
            finally:
                spare.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(path, error) from error
        with self._lock:
            self.written.append(path)

    def wait(self) -> None:
        """Nothing is under way."""


class InPlace(Store):
    """A store in which leaves that it holds are written anew, whatever its database says."""

    def invalid(self, paths: Iterable[str]) -> set[str]:
        """Return all paths: each of them is to be written."""
        return set(paths)

    def start_connecting(self) -> Writer:  # type: ignore[override]
        """Return what puts leaves in the place of damaged ones."""
        return Writer(self.directory)


def unwritable(path: str, error: OSError) -> NixError:
    """Return the error of a store path that cannot be replaced."""
    if error.errno == errno.EROFS:
        todo = (
            "make it writable for this command alone: unshare --mount sh -c "
            "'mount -o remount,rw,bind /nix/store && nixgen verify --repair', as root"
        )
        return NixError("the store is mounted for reading only", where=path, todo=todo)
    return NixError(
        f"it cannot be replaced: {error.strerror}", where=path, todo="run `nixgen verify --repair` as root: sudo"
    )
