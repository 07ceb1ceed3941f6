"""Files and directories written by rename, so that an interruption leaves what was there."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write a file by rename, as UTF-8 and with the newlines that the text has."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file by rename."""
    with _beside(path) as temporary:
        temporary.write_bytes(content)
        temporary.replace(path)


def replace_directory(path: Path, content: Mapping[str, bytes]) -> None:
    """Write a directory of files, in place of what is there.

    Args:
        path: the directory.
        content: of each file, by its path in the directory.
    """
    with _beside(path) as temporary, _beside(path) as previous:
        for name, data in content.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(data)
        try:
            if path.exists():
                path.rename(previous)
            temporary.rename(path)
        except BaseException:
            if previous.exists() and not path.exists():
                previous.rename(path)
            raise


def contents(directory: Path) -> dict[str, bytes]:
    """Return the content of every file below a directory, by its path there; bytecode is left out."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a name beside a path for something that will be renamed to it, and leave nothing there."""
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield holder / path.name
    finally:
        shutil.rmtree(holder, ignore_errors=True)
