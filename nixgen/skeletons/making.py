"""The skeleton of a wheel that is at hand, or the answer that it has none worth keeping."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import mmap
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from nixgen.archives.deflate import PIECE, inflate, inflated
from nixgen.model import WheelIndex
from nixgen.skeletons.deflate import Search
from nixgen.skeletons.placing import Placed, blank_entries, blank_local
from nixgen.skeletons.skeleton import LOCAL_HEADER, WHOLE, Member, Skeleton, header_name, header_size
from nixgen.wheels.archive import ZIP_ERRORS
from nixgen.wheels.text import index_hash

#: A skeleton that keeps more than this part of its wheel is not worth it: such a wheel is kept whole.
MOST_KEPT = 0.25


class StoppedError(Exception):
    """Whoever wanted a skeleton does not want it any more."""


def make_skeleton(wheel: Path, index: WheelIndex, *, stopped: Callable[[], bool] = lambda: False) -> Skeleton | None:
    """Return the skeleton of a wheel; None where too much of it does not come out when it is compressed again.

    Args:
        wheel: the whole wheel.
        index: its own: which files are leaves.
        stopped: asked between members; when true, the work is given up.

    Raises:
        OSError: the wheel cannot be read.
        StoppedError: it was stopped.
    """
    with wheel.open("rb") as file, contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            with zipfile.ZipFile(file) as opened:
                members, start = opened.infolist(), opened.start_dir
            return _made(archive, sorted(members, key=lambda info: info.header_offset), start, index, stopped)
        except OSError:
            raise
        except (*ZIP_ERRORS, struct.error):
            return None  # readers of zip may take it; it is put together in some way of its own


def _made(
    archive: mmap.mmap, infos: list[zipfile.ZipInfo], start: int, index: WheelIndex, stopped: Callable[[], bool]
) -> Skeleton | None:
    search = Search()
    members: list[Member] = []
    placed: list[Placed] = []
    frames, position, kept = bytearray(), 0, 0
    for info in infos:
        if stopped():
            raise StoppedError
        header = info.header_offset
        begin = header + header_size(archive, header)
        stop = begin + info.compress_size
        if header < position or stop > start:
            raise ValueError("members lie upon each other")
        with memoryview(archive) as view, view[begin:stop] as stream:
            found = _taken(header_name(archive[header:begin]), info, stream, index, search)
        if found is None:
            kept += stop - begin
            if kept > MOST_KEPT * len(archive):
                return None
            continue
        name_size = struct.unpack_from("<H", archive, header + 26)[0]
        one = Placed(
            name=archive[header + LOCAL_HEADER : header + LOCAL_HEADER + name_size],
            offset=header,
            crc=info.CRC,
            packed=info.compress_size,
            size=info.file_size,
        )
        frame = bytearray(archive[position:begin])
        local = info.file_size <= WHOLE and blank_local(frame, header - position, one)
        members.append(replace(found, before=header - position, local=local))
        placed.append(one)
        frames += frame
        position = stop
    tail = bytearray(archive[position:])
    if not blank_entries(tail, start - position, placed):
        members = [replace(member, entry=False) for member in members]
    return Skeleton(
        index=index_hash(index),
        size=len(archive),
        members=tuple(members),
        directory=start - position,
        frames=bytes(frames + tail),
    )


def _taken(name: str, info: zipfile.ZipInfo, stream: memoryview, index: WheelIndex, search: Search) -> Member | None:
    """Return a member that comes out of its leaf, None where it has none or does not."""
    file = index.files.get(name)
    if file is None or not file.size or info.orig_filename != name:
        return None
    with _content(info, stream) as content:
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode("ascii")
        if digest != file.sha256 or len(content) != info.file_size or zlib.crc32(content) != info.CRC:
            return None
        if info.compress_type == zipfile.ZIP_STORED:
            return Member(before=0, deflate=None, local=False, entry=True)
        how = search.find(content, stream)
    return None if how is None else Member(before=0, deflate=how, local=False, entry=True)


@contextlib.contextmanager
def _content(info: zipfile.ZipInfo, stream: memoryview) -> Iterator[memoryview]:
    """Give what a member holds; a large one lies in a file for that time.

    Raises:
        NotImplementedError: it is neither stored nor deflated.
        zlib.error: it is damaged.
    """
    if info.compress_type == zipfile.ZIP_STORED:
        yield stream
    elif info.compress_type != zipfile.ZIP_DEFLATED:
        raise NotImplementedError(f"{info.filename} is neither stored nor deflated")
    elif info.file_size <= WHOLE:
        # one byte more than promised shows that there is more
        with memoryview(inflate(stream, info.file_size + 1)) as content:
            yield content
    else:
        size = 0
        with tempfile.TemporaryFile() as file:
            for piece in inflated(stream[start : start + PIECE] for start in range(0, len(stream), PIECE)):
                size += file.write(piece)
                if size > info.file_size:
                    break
            file.flush()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as content:
                yield content
