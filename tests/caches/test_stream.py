"""One stream of what a receiver lacks."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.caches import Machine

pytestmark = pytest.mark.nix


def push(machine: Machine, *arguments: str | Path) -> bytes:
    """Build from the cache, and return what is pushed as a stream."""
    done = subprocess.run(
        [*machine.cli.program, "push", "--stdout", "--quiet", "--from", machine.cache, *arguments],
        cwd=machine.cli.directory,
        env={**machine.cli._environment(None)},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def names(stream: bytes) -> list[str]:
    """Return the names of a stream's files."""
    return tarfile.open(fileobj=io.BytesIO(stream)).getnames()


def test_a_stream(machine: Machine, away: None, tmp_path: Path) -> None:
    """It makes the environment in an empty store; one that is cut off, or signed by nobody known, is refused."""
    stream = push(machine, "--sign-key", machine.secret)
    there = tmp_path / "there"
    there.write_text("\n".join(path.name for path in machine.nix.path.iterdir()))
    short = push(machine, "--there", there)
    assert [name for name in names(short) if name != "nix-cache-info"] == ["nixgen.json"]
    environment = machine.build("--from", machine.cache).stdout
    machine.forget()
    file = tmp_path / "stream"
    for length, said in ((len(stream) // 2, "cut off"), (700, "cut off"), (0, "cut off")):
        file.write_bytes(stream[:length])
        assert said in machine.cli("pull", file, code=3).stderr
    assert not list(machine.nix.path.glob("*-demo-1.0"))
    file.write_bytes(stream)
    assert "--trusted-key" in machine.cli("pull", file, code=6).stderr
    assert not list(machine.nix.path.glob("*-env"))
    link = tmp_path / "link"
    done = machine.cli("pull", file, "--trusted-key", machine.public, "-o", link)
    assert done.stdout == environment and str(link.readlink()) == environment.strip()
    assert subprocess.run([link / "bin" / "demo"], capture_output=True, text=True).stdout == "demo\n"


def test_a_stream_of_somebody_else(machine: Machine, tmp_path: Path) -> None:
    """A file that leads elsewhere is refused, before anything is written."""
    file = tmp_path / "stream"
    with tarfile.open(file, "w") as archive:
        member = tarfile.TarInfo("../../escaped")
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
    assert "../../escaped" in machine.cli("pull", file, code=3).stderr
    assert "name a directory or a URL" in machine.cli("push", code=2).stderr
    assert "--there" in machine.cli("push", machine.cache, "--there", file, code=2).stderr
