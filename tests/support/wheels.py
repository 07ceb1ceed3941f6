"""Wheels made in memory, as honest or as hostile as a test needs them."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Content = bytes | str

#: The moment every member is dated: the first one zip can express.
_MOMENT = (1980, 1, 1, 0, 0, 0)

_REGULAR = 0o100644 << 16


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member as it is to stand in the archive, beside those that ``files`` makes.

    Attributes:
        name: written as it is, whatever it holds.
        content: uncompressed.
        external_attr: the field of the central directory; the Unix mode is in its upper 16 bits.
        recorded: whether RECORD gets a row for it.
    """

    name: str
    content: Content = b""
    external_attr: int = _REGULAR
    recorded: bool = True


def make_wheel(
    name: str = "demo",
    version: str = "1.0",
    files: Mapping[str, Content] | None = None,
    *,
    tag: str = "py3-none-any",
    metadata: Iterable[str] = (),
    entry_points: Content | Mapping[str, Mapping[str, str]] | None = None,
    data: Mapping[str, Content] | None = None,
    dist_info: Mapping[str, Content | None] | None = None,
    record: Content | Callable[[list[tuple[str, str, str]]], list[tuple[str, str, str]]] | None = None,
    members: Sequence[Member] = (),
    external_attr: Mapping[str, int] | None = None,
    executable: Iterable[str] = (),
    compression: int = zipfile.ZIP_DEFLATED,
    comment: bytes = b"",
) -> tuple[str, bytes]:
    """Make a wheel; the same arguments give the same bytes.

    Args:
        name: the distribution's name as METADATA spells it.
        version: likewise.
        files: content by path below site-packages; ``demo/__init__.py`` where not given.
        tag: the compatibility tag, written to the file name and WHEEL.
        metadata: further lines of METADATA, such as ``Requires-Dist: other``.
        entry_points: the text of entry_points.txt, or its groups as dicts.
        data: content by path below the ``.data`` directory, such as ``scripts/x``.
        dist_info: files that replace those of ``.dist-info`` or join them; None takes one away.
        record: the text of RECORD, or a function from the honest rows to those written.
        members: further members, written as they are after the files and before ``.dist-info``.
        external_attr: that field by path, for any member.
        executable: paths that get the mode 0755.
        compression: as ``zipfile`` has it.
        comment: the archive's.

    Returns:
        the wheel's file name and its bytes.
    """
    stem = f"{name.replace('-', '_')}-{version}"
    if files is None:
        files = {"demo/__init__.py": "answer = 42\n"}
    info: dict[str, Content | None] = {
        "METADATA": "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata, ""]),
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    if entry_points is not None:
        info["entry_points.txt"] = _entry_points(entry_points)
    info.update(dist_info or {})
    plain = {
        **files,
        **{f"{stem}.data/{path}": content for path, content in (data or {}).items()},
    }
    written = [Member(name=path, content=content) for path, content in plain.items()]
    written.extend(members)
    written.extend(
        Member(name=f"{stem}.dist-info/{path}", content=content)
        for path, content in info.items()
        if content is not None and path != "RECORD"
    )
    own = f"{stem}.dist-info/RECORD"
    if info.get("RECORD", b"") is not None:
        rows = [record_row(member.name, to_bytes(member.content)) for member in written if member.recorded]
        rows.append((own, "", ""))
        written.append(Member(name=own, content=_record(rows, record)))
    attributes = dict.fromkeys(executable, 0o100755 << 16) | dict(external_attr or {})
    return f"{stem}-{tag}.whl", write_zip(written, attributes, compression=compression, comment=comment)


def write_zip(
    members: Iterable[Member],
    external_attr: Mapping[str, int] | None = None,
    *,
    compression: int = zipfile.ZIP_DEFLATED,
    comment: bytes = b"",
) -> bytes:
    """Write members as a zip archive: names raw, dates fixed, duplicates kept."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = comment
        for member in members:
            info = zipfile.ZipInfo("x", _MOMENT)
            # zipfile's constructor cuts names at NUL and turns separators; a hostile wheel does not
            info.filename = info.orig_filename = member.name
            info.external_attr = (external_attr or {}).get(member.name, member.external_attr)
            info.create_system = 3
            info.compress_type = zipfile.ZIP_STORED if member.name.endswith("/") else compression
            _write(archive, info, to_bytes(member.content))
    return buffer.getvalue()


def write_wheel(directory: Path, wheel: tuple[str, bytes]) -> Path:
    """Store a wheel in a directory, which is made where it is missing; give its path."""
    filename, content = wheel
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / filename
    path.write_bytes(content)
    return path


def record_row(path: str, content: bytes, algorithm: str = "sha256") -> tuple[str, str, str]:
    """Give the row of RECORD for a file."""
    digest = hashlib.new(algorithm, content).digest()
    value = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return path, f"{algorithm}={value}", str(len(content))


def nix_sha256(content: Content) -> str:
    """Give a content's SHA-256 as the model spells it: 44 characters of standard base64."""
    return base64.b64encode(hashlib.sha256(to_bytes(content)).digest()).decode()


def patch_directory(wheel: bytes, member: str, **fields: int) -> bytes:
    """Change fields of one member's entry in the central directory, leaving everything else.

    Args:
        wheel: the archive.
        member: the name of the member.
        fields: of ``flags``, ``method``, ``crc``, ``compressed``, ``size``, ``offset``: the value to write.
    """
    places = {
        "flags": (8, "<H"),
        "method": (10, "<H"),
        "crc": (16, "<L"),
        "compressed": (20, "<L"),
        "size": (24, "<L"),
        "offset": (42, "<L"),
    }
    patched = bytearray(wheel)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        position = archive.start_dir
    while patched[position : position + 4] == b"PK\x01\x02":
        lengths = struct.unpack_from("<3H", patched, position + 28)
        name = bytes(patched[position + 46 : position + 46 + lengths[0]])
        if name == member.encode():
            for field, value in fields.items():
                offset, layout = places[field]
                struct.pack_into(layout, patched, position + offset, value)
            return bytes(patched)
        position += 46 + sum(lengths)
    raise KeyError(member)


def to_bytes(content: Content) -> bytes:
    """Encode text as UTF-8; bytes stay."""
    return content.encode() if isinstance(content, str) else content


def _write(archive: zipfile.ZipFile, info: zipfile.ZipInfo, content: bytes) -> None:
    known = archive.NameToInfo.pop(info.filename, None)  # else zipfile warns of duplicates
    archive.writestr(info, content)
    if known is not None:
        archive.NameToInfo[info.filename] = known


def _entry_points(entry_points: Content | Mapping[str, Mapping[str, str]]) -> Content:
    if not isinstance(entry_points, Mapping):
        return entry_points
    groups = []
    for group, points in entry_points.items():
        groups.append(f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items()))
    return "\n".join(groups)


def _record(
    rows: list[tuple[str, str, str]],
    record: Content | Callable[[list[tuple[str, str, str]]], list[tuple[str, str, str]]] | None,
) -> Content:
    if callable(record):
        rows = record(rows)
    elif record is not None:
        return record
    return "".join(",".join(_quoted(cell) for cell in row) + "\n" for row in rows)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\n\r') else cell
