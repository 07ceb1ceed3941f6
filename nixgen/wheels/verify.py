"""Whether a wheel on disk has the bytes it was promised to have: its own hash, and every file's."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

from nixgen.archives.findings import Findings, quoted
from nixgen.errors import InputError, VerificationError, WheelError
from nixgen.model import WheelSource
from nixgen.wheels.archive import ZIP_ERRORS
from nixgen.wheels.contents import Contents
from nixgen.wheels.record import Row, to_base64

_CHUNK = 1024 * 1024

_TODO = (
    "if somebody edited the hash, restore the lock (`git checkout nixgen.lock`); if the wheel was replaced on purpose, "
    "lock again; otherwise do not use it"
)


def hash_file(path: Path, *, stopped: Callable[[], bool] = lambda: False) -> tuple[str, int]:
    """Give a file's SHA-256 (64 hexadecimal digits) and its size in bytes."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while (chunk := stream.read(_CHUNK)) and not stopped():
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def hash_local(source: WheelSource, base: Path, *, stopped: Callable[[], bool]) -> tuple[Path, str, int]:
    """Give the path of a wheel on disk, with its SHA-256 (64 hexadecimal digits) and its size in bytes.

    Args:
        source: the wheel.
        base: the directory that its relative path refers to.
        stopped: asked between pieces; when true, the work is given up.

    Raises:
        InputError: the wheel cannot be read.
    """
    path = base / (source.path or "")
    try:
        return path, *hash_file(path, stopped=stopped)
    except OSError as error:
        raise InputError(
            f"cannot read the wheel {source.filename}: {error.strerror or error}",
            where=str(path),
            todo="put the wheel there, or lock again",
        ) from error


def check_wheel(source: WheelSource, *, sha256: str, size: int, where: str) -> None:
    """Compare a whole wheel's hash and size with what its source promises.

    Args:
        source: the promise.
        sha256: what the wheel has, 64 hexadecimal digits.
        size: likewise, bytes.
        where: the URL or path it was read from, for the message.

    Raises:
        VerificationError: they differ.
    """
    if source.sha256 is not None and source.sha256 != sha256:
        what = f"the wheel {source.filename} has SHA-256 {sha256}, expected {source.sha256}"
        raise VerificationError(what, where=where, todo=_TODO)
    # With the right hash it is the wheel, whatever somebody said of its size.
    if source.sha256 is None and source.size is not None and source.size != size:
        what = f"the wheel {source.filename} has {size} bytes, expected {source.size}"
        raise VerificationError(what, where=where, todo=_TODO)


def check_other_hash(source: WheelSource, path: Path, *, where: str) -> None:
    """Compare a whole wheel on disk with the hash of another algorithm that its source promises.

    Args:
        source: the promise.
        path: the wheel.
        where: the URL or path it was read from, for the message.

    Raises:
        VerificationError: they differ.
    """
    assert source.other is not None
    algorithm, expected = source.other
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    if found != expected:
        what = f"the wheel {source.filename} has {algorithm.upper()} {found}, expected {expected}"
        raise VerificationError(what, where=where, todo=_TODO)


def check_files(path: Path, contents: Contents, *, stopped: Callable[[], bool] = lambda: False) -> dict[str, str]:
    """Read every file of a wheel on disk, and give its SHA-256 by path, as the model spells it.

    Args:
        path: the wheel.
        contents: what its directory and RECORD say.
        stopped: asked between pieces; when true, the work is given up and the result is incomplete.

    Raises:
        VerificationError: files whose content is not what RECORD promises; all of them are listed.
        WheelError: files that cannot be unpacked, or are larger or smaller than declared.
    """
    findings = Findings()
    hashes: dict[str, str] = {}
    mismatched: list[str] = []
    with zipfile.ZipFile(path) as archive:
        for name, info in contents.members.items():
            if stopped():
                break
            row = contents.rows.get(name, Row())
            try:
                sha256, promised, size = _hash_member(archive, info, row.algorithm)
            except ZIP_ERRORS as error:
                findings.damage.append(f"{quoted(name)}: it cannot be read ({type(error).__name__}: {error})")
                continue
            if size != info.file_size:
                findings.damage.append(f"{quoted(name)}: it has {size} bytes, not {info.file_size}")
            if row.algorithm is not None and promised != row.digest:
                mismatched.append(
                    f"{quoted(name)}: expected {_shown(row.algorithm, row.digest)}, "
                    f"got {_shown(row.algorithm, promised)}"
                )
            hashes[name] = to_base64(sha256)
    if findings.damage:
        raise WheelError(contents.filename, findings.listed())
    if mismatched:
        listed = "".join(f"\n    {line}" for line in Findings(problems=mismatched).listed())
        raise VerificationError(
            f"the wheel {contents.filename} has files that are not what its RECORD promises:{listed}",
            where=contents.filename,
            todo="report it to the package's authors, or choose another version of it",
        )
    return hashes


def _hash_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, algorithm: str | None) -> tuple[bytes, bytes, int]:
    digest = hashlib.sha256()
    promised = hashlib.new(algorithm or "sha256")
    size = 0
    with archive.open(info) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            if algorithm not in (None, "sha256"):
                promised.update(chunk)
            size += len(chunk)
    return digest.digest(), (digest if algorithm in (None, "sha256") else promised).digest(), size


def _shown(algorithm: str, digest: bytes) -> str:
    return f"{algorithm}={base64.urlsafe_b64encode(digest).decode('ascii').rstrip('=')}"
