"""Unpack one wheel for the ingest: its non-empty files, as they lie in the archive or flat, and its index."""

import base64
import hashlib
import os
import struct
import sys
import zipfile
import zlib

import index
from cores import cores

#: Where the files are in what is built, and where the index.
FILES = "files"
INDEX = "index.json"

#: Below this many bytes, starting threads costs more than it saves.
_WORTH_THREADS = 4 << 20


#: What ``zipfile`` lets escape on archives that lie or are cut.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
    LookupError,
    struct.error,
)


def build(attributes, out):
    """Unpack the wheel ``attributes["wheel"]`` into the directory ``out``; ``attributes["flat"]`` says how.

    Raises:
        SystemExit: as ``unpack``, and for an archive that is damaged, with what is wrong.
    """
    wheel = attributes["wheel"]
    try:
        unpack(wheel, out, threads=cores(), flat=attributes.get("flat", False))
    except _DAMAGE as error:
        sys.exit(f"nixgen: the wheel {os.path.basename(wheel)} cannot be unpacked: {type(error).__name__}: {error}")


def unpack(wheel, out, threads=1, flat=False):
    """Write every non-empty file of a wheel below a directory, and the index that these files have.

    The lock has refused names that escape; this refuses them again, since a build trusts nobody. Nothing is compared
    with RECORD: the index has the hash of each file as it is, and Nix compares the index with the lock.

    Args:
        wheel: path of the wheel.
        out: directory to make, with ``FILES`` and ``INDEX``.
        threads: how many members to inflate at once (zlib, hashes and files release the interpreter's lock).
        flat: whether each file lies directly in ``FILES``, named by the SHA-256 of its path in the archive.

    Raises:
        SystemExit: with the wheel and the member, for a name that would escape, and for what is no wheel.
    """
    target = os.path.join(out, FILES)
    os.makedirs(target)
    with zipfile.ZipFile(wheel) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        directories = set()
        for member in members:
            parts = member.filename.split("/")
            if any(part in ("", ".", "..") for part in parts) or "\\" in member.filename:
                sys.exit(f"nixgen: the wheel {wheel} has a member that escapes: {member.filename!r}")
            if not flat and member.file_size:
                directories.add("/".join(parts[:-1]))
        for directory in sorted(directories):
            os.makedirs(os.path.join(target, directory), exist_ok=True)
        hashes = _extract_all(wheel, [member for member in members if member.file_size], target, threads, flat)
        with open(os.path.join(out, INDEX), "xb") as file:
            file.write(_index(wheel, archive, members, hashes))


def _extract_all(wheel, members, target, threads, flat):
    """Write members below a directory, and return the SHA-256 of each by its name."""
    if threads < 2 or sum(member.file_size for member in members) < _WORTH_THREADS:
        return _extract(wheel, members, target, flat)
    # Imported where it is worth it: 8 of the 35 ms in which this builder starts.
    from concurrent.futures import ThreadPoolExecutor

    # One share per thread, and one handle per share: handles of one ZipFile take turns at the file.
    members = sorted(members, key=lambda member: -member.compress_size)
    shares = [members[first::threads] for first in range(threads)]
    hashes = {}
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(_extract, wheel, share, target, flat) for share in shares if share]:
            hashes.update(done.result())
    return hashes


def _extract(wheel, members, target, flat):
    hashes = {}
    with zipfile.ZipFile(wheel) as archive:
        for member in members:
            name = hashlib.sha256(member.filename.encode()).hexdigest() if flat else member.filename
            digest = hashlib.sha256()
            with archive.open(member) as source, open(os.path.join(target, name), "xb") as file:
                while piece := source.read(1 << 20):
                    digest.update(piece)
                    file.write(piece)
            hashes[member.filename] = base64.b64encode(digest.digest()).decode()
    return hashes


def _index(wheel, archive, members, hashes):
    """Return the index of a wheel whose files have these hashes."""
    found = {
        member.filename: index.Member(
            member.file_size, bool(member.external_attr >> 16 & 0o111), hashes.get(member.filename, "")
        )
        for member in members
    }
    tops = sorted({path.split("/")[0] for path in found if "/" in path})
    dist_infos = [top for top in tops if top.endswith(".dist-info")]
    if len(dist_infos) != 1:
        sys.exit(f"nixgen: the wheel {wheel} has {len(dist_infos)} .dist-info directories at its top level")
    data_dir = next((top for top in tops if top.endswith(".data")), None)
    commands = {kind: {} for kind in index.COMMANDS.values()}
    entry_points = f"{dist_infos[0]}/entry_points.txt"
    if entry_points in found:
        for group, name, value in index.commands_of(archive.read(entry_points).decode("utf-8")):
            if group in index.COMMANDS:
                commands[index.COMMANDS[group]].setdefault(name, index.reference_of(value))
    names = {name for kind in commands.values() for name in kind}
    for path in index.left_out(found, dist_infos[0], data_dir, names):
        del found[path]
    return index.to_bytes(found, dist_infos[0], data_dir, commands)
