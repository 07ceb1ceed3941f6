"""What the system refuses, in words for a user."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import pytest

from nixgen.mistakes import about, limit, mistake, of_a_program


@pytest.mark.parametrize(
    "number",
    [
        "ENOSPC",
        "EDQUOT",
        "EROFS",
        "EACCES",
        "EPERM",
        "EMFILE",
        "ENFILE",
        "ENOMEM",
        "EAGAIN",
        "EIO",
        "ENOENT",
        "EISDIR",
        "EINVAL",
    ],
)
def test_an_error_of_the_system_has_three_parts(number: str) -> None:
    """Each says what, where and what to do."""
    said = mistake(OSError(getattr(errno, number), "text", "/some/file"))
    assert said is not None and said.exit_code == 7
    assert said.what and said.where and said.todo
    if number in ("ENOSPC", "EROFS", "EACCES"):
        assert said.where == "/some/file"


def test_a_temporary_file_is_told_as_its_directory() -> None:
    """A name that is gone when the message is read is of no use: the directory that it was made in is."""
    said = mistake(OSError(errno.EACCES, "text", "project/nix/.nixgen-tmp-abcdefgh/nixgen/leaf.nix"))
    assert said is not None and said.where == "project/nix"
    said = mistake(OSError(errno.EACCES, "text", ".nixgen-tmp-abcdefgh"))
    assert said is not None and said.where == "."


def test_no_temporary_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing temporary can be written, as on a full disk, the directories that were tried are named."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere", "/proc/nothing"])
    with pytest.raises(FileNotFoundError) as caught:
        tempfile.gettempdir()
    said = mistake(caught.value)
    assert said is not None and said.exit_code == 7
    assert said.where is not None and "/nowhere" in said.where
    assert said.todo is not None and "TMPDIR" in said.todo


def test_memory_threads_and_groups() -> None:
    """Too little memory, no thread, and either of them in a group of errors are such errors; a fault is none."""
    for error in (
        MemoryError(),
        RuntimeError("can't start new thread"),
        ExceptionGroup("", [KeyError(), MemoryError()]),
    ):
        assert mistake(error) is not None
    for error in (KeyError("x"), RuntimeError("x"), ValueError("x")):
        assert mistake(error) is None


def test_a_write_to_a_full_disk_gets_a_name(tmp_path: Path) -> None:
    """What fails without a name gets one, what has one keeps it."""
    with pytest.raises(OSError) as raised, about(tmp_path):
        raise OSError(errno.ENOSPC, "text")
    assert raised.value.filename == str(tmp_path)
    with pytest.raises(OSError) as raised, about(tmp_path):
        raise OSError(errno.ENOSPC, "text", "x")
    assert raised.value.filename == "x"


def test_a_limit_is_told_from_a_servers_fault() -> None:
    """A connection that failed for want of files is the machine's, one that was refused is not."""
    error = ValueError("cannot connect")
    error.__cause__ = OSError(errno.EMFILE, "text")
    assert limit(error) is not None
    error.__cause__ = ConnectionRefusedError(errno.ECONNREFUSED, "text")
    assert limit(error) is None
    assert limit(ValueError()) is None


def test_what_uv_says_of_the_system() -> None:
    """uv's own words for such an error are read, with the path; those for a server are left."""
    said = of_a_program('cause: Permission denied (os error 13) at path "/cache/uv/x"')
    assert said is not None and (said.what, said.where) == ("permission denied", "/cache/uv/x")
    assert of_a_program('Os { code: 11, kind: WouldBlock, message: "x" }') is not None
    assert of_a_program("tcp connect error: Connection refused (os error 111)") is None
    assert of_a_program("No such file or directory (os error 2)") is None
