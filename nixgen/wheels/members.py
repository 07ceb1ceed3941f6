"""Which members of a wheel's archive are acceptable, judged from its central directory alone."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterable

from nixgen.archives.findings import Findings, quoted
from nixgen.archives.names import check_names, name_problems
from nixgen.wheels.archive import smallest_extent

#: What deflate can give at most for one byte, and the slack for short streams (zlib's own technical notes).
DEFLATE_RATIO = 1032
DEFLATE_SLACK = 1024

#: The largest sum of declared sizes, in bytes.
MAX_TOTAL = 64 * 1024**3

_ENCRYPTED = 0x1 | 0x40 | 0x2000
_PATCHED = 0x20


def is_directory(info: zipfile.ZipInfo) -> bool:
    """Tell whether a member only stands for a directory."""
    return info.orig_filename.endswith("/")


def is_executable(info: zipfile.ZipInfo) -> bool:
    """Tell whether the archive gives the member any x bit."""
    return bool((info.external_attr >> 16) & 0o111)


def check_members(archive: zipfile.ZipFile, findings: Findings) -> list[zipfile.ZipInfo]:
    """Check names, kinds, sizes and offsets of all members; give those that are files.

    Problems and warnings go to ``findings``. The names are those of the central directory before ``zipfile``
    touches them (it cuts at NUL and turns separators).
    """
    infos = archive.infolist()
    for info in infos:
        name = info.orig_filename
        problems = name_problems(name)
        if info.filename != name and not problems:
            problems.append("the archive spells its name in two ways")
        problems += [*_kind_problems(info), *_size_problems(info)]
        findings.problems.extend(f"{quoted(name)}: {problem}" for problem in problems)
    _check_offsets(archive, infos, findings)
    total = sum(info.file_size for info in infos)
    if total > MAX_TOTAL:
        findings.problems.append(f"the members declare {total} bytes in all, more than {MAX_TOTAL}")
    check_names(
        [info.orig_filename for info in infos if not is_directory(info)],
        [info.orig_filename.rstrip("/") for info in infos if is_directory(info)],
        findings,
    )
    return [info for info in infos if not is_directory(info)]


def _kind_problems(info: zipfile.ZipInfo) -> list[str]:
    problems = []
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        problems.append("it is a symbolic link")
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        problems.append(f"it is a special file (mode {info.external_attr >> 16:o})")
    elif kind == stat.S_IFDIR and not is_directory(info):
        problems.append("its mode says directory, its name says file")
    if info.flag_bits & _ENCRYPTED:
        problems.append("it is encrypted")
    if info.flag_bits & _PATCHED:
        problems.append("it is compressed patched data, which no installer reads")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = zipfile.compressor_names.get(info.compress_type, str(info.compress_type))  # type: ignore[attr-defined]
        problems.append(f"its compression ({method}) is neither stored nor deflated")
    return problems


def _size_problems(info: zipfile.ZipInfo) -> list[str]:
    declared = f"it declares {info.file_size} bytes from {info.compress_size} compressed ones"
    if is_directory(info):
        return [f"{declared}, but is a directory"] if info.file_size else []
    if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
        return [f"{declared}, but is stored"]
    most = info.compress_size * DEFLATE_RATIO + DEFLATE_SLACK
    return [f"{declared}, more than deflate can give"] if info.file_size > most else []


def _check_offsets(archive: zipfile.ZipFile, infos: Iterable[zipfile.ZipInfo], findings: Findings) -> None:
    previous: zipfile.ZipInfo | None = None
    for info in sorted(infos, key=lambda info: info.header_offset):
        extent = smallest_extent(info)
        if extent.start < 0 or extent.stop > archive.start_dir:
            findings.problems.append(f"{quoted(info.orig_filename)}: its bytes lie outside the archive's content")
        elif previous is not None and extent.start < smallest_extent(previous).stop:
            findings.problems.append(
                f"{quoted(info.orig_filename)}: its bytes overlap those of {quoted(previous.orig_filename)}"
            )
        previous = info
