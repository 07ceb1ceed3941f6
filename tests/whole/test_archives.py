"""Archives that lie: locking, ``nixgen build`` and stock ``nix-build`` refuse alike what pip refuses, by name."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.locks import Wheel, change_package
from tests.support.wheels import make_wheel, write_wheel

pytestmark = pytest.mark.nix

NAME = b"demo/a.py"


def _directory(content: bytes) -> int:
    """Return where the directory's entry of the member begins."""
    return content.rindex(NAME) - 46


def _patched(content: bytes, offset: int, new: bytes) -> bytes:
    return content[:offset] + new + content[offset + len(new) :]


def another_name(content: bytes) -> bytes:
    """Let the member have another name where it lies."""
    return content.replace(NAME, b"demo/b.py", 1)


def another_checksum(content: bytes) -> bytes:
    """Let the directory give another CRC."""
    return _patched(content, _directory(content) + 16, struct.pack("<I", 5))


def patched_data(content: bytes) -> bytes:
    """Let the directory say that the member is compressed patched data."""
    flags = struct.unpack_from("<H", content, _directory(content) + 8)[0]
    return _patched(content, _directory(content) + 8, struct.pack("<H", flags | 0x20))


def another_method(content: bytes) -> bytes:
    """Let the directory call a deflated member stored."""
    return _patched(content, _directory(content) + 10, struct.pack("<H", 0))


def smaller(content: bytes) -> bytes:
    """Let the directory declare less than the member's stream gives."""
    size = struct.unpack_from("<I", content, _directory(content) + 24)[0]
    return _patched(content, _directory(content) + 24, struct.pack("<I", size - 1))


def not_there(content: bytes) -> bytes:
    """Let the directory lead to where no member lies."""
    return _patched(content, _directory(content) + 42, struct.pack("<I", 1))


LIES = [another_name, another_checksum, patched_data, another_method, smaller, not_there]


@pytest.fixture(params=LIES, ids=lambda lie: lie.__name__)
def honest_and_lying(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Wheel, Wheel]:
    """A wheel, and the same with a lie in its archive; its files are this test's own."""
    honest = make_wheel("demo", "1.0", {"demo/a.py": f"x = {str(tmp_path)!r}\n" * 20, "demo/__init__.py": ""})
    return honest, (honest[0], request.param(honest[1]))


def _pip_installs(wheel: Wheel, directory: Path) -> bool:
    write_wheel(directory, wheel)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    done = subprocess.run([*command, directory / "target", directory / wheel[0]], capture_output=True, check=False)
    return done.returncode == 0


def test_all_three_refuse(honest_and_lying: tuple[Wheel, Wheel], empty_store: Cli, tmp_path: Path) -> None:
    """A lie that pip refuses is refused when locking, and by both builds of a lock that was made without looking."""
    honest, lying = honest_and_lying
    assert _pip_installs(honest, tmp_path / "honest") and not _pip_installs(lying, tmp_path / "lying")

    write_wheel(empty_store.directory / "wheels", lying)
    (empty_store.directory / "requirements.txt").write_text(f"./wheels/{lying[0]}\n")
    said = empty_store("lock", "--no-index", code=3).stderr
    assert lying[0] in said and "Traceback" not in said and not (empty_store.directory / "nixgen.lock").exists()

    # A lock that names this wheel's hash and the honest one's files, as one that was made by ranges.
    built = replace(empty_store, directory=tmp_path / "built")
    built.directory.mkdir()
    write_wheel(built.directory / "wheels", honest)
    (built.directory / "requirements.txt").write_text(f"./wheels/{honest[0]}\n")
    built("lock", "--no-index")
    write_wheel(built.directory / "wheels", lying)
    change_package(built.directory / "nixgen.lock", lying[0], sha256=hashlib.sha256(lying[1]).hexdigest())
    for command in ((*built.program, "build"), ("nix-build", "nix", "--no-out-link")):
        done = subprocess.run(
            command,
            cwd=built.directory,
            env={**os.environ, **built.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0 and lying[0] in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not (built.directory / "result").exists()
