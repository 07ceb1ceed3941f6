"""Unpack one wheel for the ingest: its non-empty files, as they lie in the archive or flat."""

import hashlib
import os
import shutil
import sys
import zipfile

from cores import cores

#: Below this many bytes, starting threads costs more than it saves.
_WORTH_THREADS = 4 << 20


def build(attributes, out):
    """Unpack the wheel ``attributes["wheel"]`` into the directory ``out``; ``attributes["flat"]`` says how."""
    unpack(attributes["wheel"], out, threads=cores(), flat=attributes.get("flat", False))


def unpack(wheel, out, threads=1, flat=False):
    """Write every non-empty file of a wheel below a directory.

    The lock has refused names that escape; this refuses them again, since a build trusts nobody. Nothing is verified
    here: each file is hashed when it becomes a leaf.

    Args:
        wheel: path of the wheel.
        out: directory to make.
        threads: how many members to inflate at once (zlib and files release the interpreter's lock).
        flat: whether each file lies directly in ``out``, named by the SHA-256 of its path in the archive.

    Raises:
        SystemExit: with the wheel and the member, for a name that would escape.
    """
    os.mkdir(out)
    with zipfile.ZipFile(wheel) as archive:
        members = [member for member in archive.infolist() if member.file_size and not member.is_dir()]
        directories = set()
        for member in members:
            parts = member.filename.split("/")
            if any(part in ("", ".", "..") for part in parts) or "\\" in member.filename:
                sys.exit(f"nixgen: the wheel {wheel} has a member that escapes: {member.filename!r}")
            if not flat:
                directories.add("/".join(parts[:-1]))
        for directory in sorted(directories):
            os.makedirs(os.path.join(out, directory), exist_ok=True)
        if threads < 2 or sum(member.file_size for member in members) < _WORTH_THREADS:
            _extract(wheel, members, out, flat)
            return
        # Imported where it is worth it: 8 of the 35 ms in which this builder starts.
        from concurrent.futures import ThreadPoolExecutor

        # One share per thread, and one handle per share: handles of one ZipFile take turns at the file.
        members.sort(key=lambda member: -member.compress_size)
        shares = [members[first::threads] for first in range(threads)]
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(_extract, wheel, share, out, flat) for share in shares if share]:
                done.result()


def _extract(wheel, members, out, flat):
    with zipfile.ZipFile(wheel) as archive:
        for member in members:
            name = hashlib.sha256(member.filename.encode()).hexdigest() if flat else member.filename
            with archive.open(member) as source, open(os.path.join(out, name), "xb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
