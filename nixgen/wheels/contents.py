"""What one wheel holds, read from as few of its bytes as possible.

``read_contents`` does no input or output: it yields the byte ranges it needs and goes on when they were fed.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field

from nixgen.archives.findings import Findings, quoted, some
from nixgen.archives.names import check_names
from nixgen.errors import WheelError
from nixgen.library import builder_module
from nixgen.model import WheelFile, WheelIndex, WheelSource
from nixgen.wheels.archive import (
    MAX_PIECE,
    DamagedError,
    Range,
    SparseFile,
    member_ranges,
    open_archive,
    read_member,
)
from nixgen.wheels.dist_info import (
    UNHASHED,
    Identity,
    check_metadata,
    check_wheel_file,
    find_data_dir,
    find_dist_info,
    parse_filename,
)
from nixgen.wheels.entry_points import parse_entry_points
from nixgen.wheels.members import check_members, is_executable
from nixgen.wheels.record import Row, parse_record, sha256_base64, to_base64
from nixgen.wheels.schemes import check_schemes, installed_path, reached_path

_EMPTY = hashlib.sha256(b"").digest()

_READ = ("METADATA", "WHEEL", "entry_points.txt", *UNHASHED)
_REQUIRED = ("RECORD", "METADATA", "WHEEL")


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a wheel's directory and metadata say.

    Attributes:
        filename: the wheel's file name.
        members: its files by path, those left out of an installation not among them.
        rows: what RECORD says, by path.
        known: SHA-256 of files whose content was read and which RECORD does not hash, as the model spells it.
        unhashed: files whose SHA-256 only the whole wheel can tell, sorted.
        mismatched: metadata files whose content is not what RECORD promises, sorted.
        metadata: the content of METADATA.
        findings: the warnings so far.
    """

    filename: str
    name: str
    dist_info: str
    data_dir: str | None
    members: Mapping[str, zipfile.ZipInfo]
    rows: Mapping[str, Row]
    known: Mapping[str, str]
    unhashed: tuple[str, ...]
    mismatched: tuple[str, ...]
    console_scripts: Mapping[str, str] = field(default_factory=dict)
    gui_scripts: Mapping[str, str] = field(default_factory=dict)
    metadata: bytes = b""
    warnings: tuple[str, ...] = ()


def read_contents(filename: str, file: SparseFile) -> Generator[list[Range], None, Contents]:
    """Read a wheel's directory and metadata, yielding the byte ranges that must be fed to ``file`` to go on.

    Raises:
        DamagedError: its bytes contradict each other, so that they may not be those of the wheel.
        WheelError: it breaks rules; all of them are listed.
    """
    findings = Findings()
    identity = parse_filename(filename, findings)
    if identity is None:
        raise WheelError(filename, findings.listed())
    archive = yield from open_archive(file)
    with archive:
        infos = check_members(archive, findings)
        members = {info.orig_filename: info for info in infos}
        dist_info = find_dist_info(members, identity, findings)
        data_dir = find_data_dir(members, identity, findings)
        check_schemes(sorted(members), data_dir, findings)
        texts: dict[str, bytes] = {}
        if dist_info is not None:
            texts = yield from _read_texts(archive, file, members, dist_info, findings)
    contents = _judge(filename, identity, members, dist_info, data_dir, texts, findings)
    if findings.damage:
        raise DamagedError(findings.listed())
    if findings.problems or contents is None:
        raise WheelError(filename, findings.listed())
    return contents


def build_index(source: WheelSource, contents: Contents, computed: Mapping[str, str]) -> WheelIndex:
    """Assemble the index of a wheel.

    Args:
        source: where it comes from, with ``sha256`` and ``size``.
        contents: what was read of it.
        computed: SHA-256 by path, for at least the files in ``contents.unhashed``, as the model spells it.
    """
    findings = Findings(warnings=list(contents.warnings))
    files = {}
    for path, info in sorted(contents.members.items()):
        row = contents.rows.get(path, Row())
        sha256 = computed.get(path) or contents.known.get(path) or to_base64(row.digest)
        files[path] = WheelFile(sha256=sha256, size=info.file_size, executable=is_executable(info))
        if (info.file_size == 0) != (sha256 == to_base64(_EMPTY)):
            findings.problems.append(
                f"{quoted(path)}: its declared size, {info.file_size} bytes, contradicts its hash in RECORD"
            )
    _check_places(files, contents.data_dir, findings)
    if findings.problems:
        raise WheelError(contents.filename, findings.listed())
    return WheelIndex(
        source=source,
        name=contents.name,
        dist_info=contents.dist_info,
        data_dir=contents.data_dir,
        files=files,
        console_scripts=contents.console_scripts,
        gui_scripts=contents.gui_scripts,
        metadata=contents.metadata,
        warnings=tuple(findings.warnings),
    )


def _read_texts(
    archive: zipfile.ZipFile,
    file: SparseFile,
    members: Mapping[str, zipfile.ZipInfo],
    dist_info: str,
    findings: Findings,
) -> Generator[list[Range], None, dict[str, bytes]]:
    wanted = [path for path in (f"{dist_info}/{name}" for name in _READ) if path in members]
    for path in wanted:
        if members[path].file_size > MAX_PIECE:
            findings.problems.append(f"{quoted(path)}: {members[path].file_size} bytes are too many for metadata")
    wanted = [
        path
        for path in wanted
        if members[path].file_size <= MAX_PIECE
        and members[path].compress_size <= MAX_PIECE
        and 0 <= members[path].header_offset < file.size
    ]
    ranges = member_ranges(archive, (members[path] for path in wanted), file)
    if ranges:
        yield ranges
    texts = {}
    for path in wanted:
        try:
            texts[path] = yield from read_member(archive, members[path])
        except DamagedError as error:
            findings.damage.extend(error.problems)
    return texts


def _judge(
    filename: str,
    identity: Identity,
    members: Mapping[str, zipfile.ZipInfo],
    dist_info: str | None,
    data_dir: str | None,
    texts: Mapping[str, bytes],
    findings: Findings,
) -> Contents | None:
    if dist_info is None:
        return None
    for name in _REQUIRED:
        if f"{dist_info}/{name}" not in members:
            findings.problems.append(f"{quoted(f'{dist_info}/{name}')}: the archive does not have it")
    if (metadata := texts.get(f"{dist_info}/METADATA")) is not None:
        check_metadata(metadata, f"{dist_info}/METADATA", identity, findings)
    if (wheel := texts.get(f"{dist_info}/WHEEL")) is not None:
        check_wheel_file(wheel, f"{dist_info}/WHEEL", findings)
    console: Mapping[str, str] = {}
    gui: Mapping[str, str] = {}
    if (entry_points := texts.get(f"{dist_info}/entry_points.txt")) is not None:
        console, gui = parse_entry_points(entry_points, f"{dist_info}/entry_points.txt", findings)
    rows: dict[str, Row] = {}
    if (record := texts.get(f"{dist_info}/RECORD")) is not None:
        rows = parse_record(record, f"{dist_info}/RECORD", findings)
    left_out = _left_out(members, dist_info, data_dir, {*console, *gui}, findings)
    kept = {path: info for path, info in members.items() if path not in left_out}
    _check_written(kept, dist_info, data_dir, {*console, *gui}, findings)
    own = {f"{dist_info}/{name}" for name in UNHASHED}
    rows = {path: row for path, row in rows.items() if path not in own}
    known = {path: sha256_base64(content) for path, content in texts.items() if path in own}
    if not findings.problems:
        _compare(members, rows, findings)
    unhashed = sorted(path for path in kept.keys() - own if rows.get(path, Row()).algorithm != "sha256")
    if unhashed:
        findings.warnings.append(
            f"RECORD has no SHA-256 for {some(unhashed)}: taken from the whole wheel, which was downloaded"
        )
    return Contents(
        filename=filename,
        name=identity.name,
        dist_info=dist_info,
        data_dir=data_dir,
        members=kept,
        rows=rows,
        known=known,
        unhashed=tuple(unhashed),
        mismatched=tuple(sorted(path for path in texts if not _keeps(texts[path], rows.get(path)))),
        console_scripts=console,
        gui_scripts=gui,
        metadata=texts.get(f"{dist_info}/METADATA", b""),
        warnings=tuple(findings.warnings),
    )


def _compare(members: Mapping[str, zipfile.ZipInfo], rows: Mapping[str, Row], findings: Findings) -> None:
    absent = sorted(path for path in rows.keys() - members.keys() if not path.endswith("/"))
    if absent:
        findings.warnings.append(f"RECORD lists files that the archive does not have: {some(absent)}")
    resized = [path for path in rows.keys() & members.keys() if rows[path].size not in (None, members[path].file_size)]
    if resized:
        findings.warnings.append(f"RECORD gives another size than the archive for {some(resized)}")


def _keeps(content: bytes, row: Row | None) -> bool:
    if row is None or row.algorithm is None:
        return True
    return hashlib.new(row.algorithm, content).digest() == row.digest


def _left_out(
    members: Mapping[str, zipfile.ZipInfo],
    dist_info: str,
    data_dir: str | None,
    commands: set[str],
    findings: Findings,
) -> set[str]:
    found: set[str] = builder_module("index").left_out(members, dist_info, data_dir, commands)
    for own, why in ((True, "an installer writes it"), (False, "an entry point makes the command")):
        some_of_them = {path for path in found if path.startswith(f"{dist_info}/") is own}
        if some_of_them:
            findings.warnings.append(f"left out, since {why}: {some(some_of_them)}")
    return found


def _check_written(
    files: Iterable[str], dist_info: str, data_dir: str | None, commands: set[str], findings: Findings
) -> None:
    """Report files below what an installation writes itself: a command, or a file of its own in ``.dist-info``."""
    own = {("site", f"{dist_info}/{name}") for name in builder_module("index").WRITTEN_BY_INSTALLERS}
    written = own | {("scripts", name) for name in commands}
    for path in files:
        scheme, place = reached_path(*installed_path(path, data_dir))
        parts = place.split("/")
        for depth in range(1, len(parts)):
            if (scheme, "/".join(parts[:depth])) in written:
                findings.problems.append(f"{quoted(path)}: it lies below a file that an installation writes")
                break


def _check_places(files: Mapping[str, WheelFile], data_dir: str | None, findings: Findings) -> None:
    """Report two files of the wheel that would be installed to one place with different content."""
    if data_dir is None:
        return
    places: dict[tuple[str, str], str] = {}
    for path, file in files.items():
        place = reached_path(*installed_path(path, data_dir))
        other = places.setdefault(place, path)
        if files[other].sha256 != file.sha256:
            findings.problems.append(f"{quoted(path)}: it is installed to the same place as {quoted(other)}")
    check = Findings()
    check_names(["/".join(place) for place in places], [], check)
    findings.problems.extend(check.problems)
