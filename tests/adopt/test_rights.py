"""``nixgen.adopt.rights``: root adopts another user's environment with his rights, whatever he swaps meanwhile."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixgen.adopt.below import Below
from nixgen.adopt.rights import _exit_with
from nixgen.leaf import leaf_path
from tests.adopt.conftest import demo
from tests.support.cli import Cli
from tests.support.environments import make_environment
from tests.support.nix import NixInstallation
from tests.support.owner import UID, as_root, give, meanwhile, open_directory, python

pytestmark = [as_root, pytest.mark.nix]

#: How long a user tries, in seconds.
TRIES = 3


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the user can enter, with one of his own, ``home``, and a file of root's, ``precious``."""
    with open_directory() as directory:
        (directory / "home").mkdir()
        (directory / "precious").write_text("precious")
        (directory / "precious").chmod(0o600)
        yield directory
        subprocess.run(["chmod", "-R", "u+w", directory], check=True)


@pytest.fixture
def nixgen(place: Path) -> Cli:
    """nixgen with a store that the user can read, and only root can write."""
    nix = NixInstallation.of_machine(place / "nix")
    place.joinpath("nix").chmod(0o755)
    return Cli(directory=place, environment={**nix.env, "NIXGEN_SECRET": "secret"})


def owners(directory: Path) -> set[int]:
    return {path.lstat().st_uid for path in (directory, *directory.rglob("*"))}


def journal(home: Path, content: bytes, *paths: str, mode: int = 0o644) -> None:
    """Leave an environment of which some files were adopted, as its owner could: a store of his own, and a journal."""
    store = home / "store"
    store.mkdir(exist_ok=True)
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    leaf = leaf_path("x.bin", digest, str(store))
    Path(leaf).write_bytes(content)
    (home / "pyvenv.cfg").touch()
    (home / ".nixgen").mkdir(exist_ok=True)
    files = {}
    for path in paths:
        (home / path).parent.mkdir(exist_ok=True)
        (home / path).unlink(missing_ok=True)
        (home / path).symlink_to(leaf)
        files[path] = {"leaf": leaf, "mode": mode, "mtime": 1}
    (home / ".nixgen/adopted.json").write_text(json.dumps({"nixgen": 1, "files": files}))
    give(home)


def unchanged(place: Path) -> bool:
    """Tell whether root's file is as it was."""
    precious = place / "precious"
    status = precious.lstat()
    return (status.st_uid, status.st_mode & 0o7777, precious.read_text()) == (0, 0o600, "precious")


def test_the_owners_environment(nixgen: Cli, place: Path) -> None:
    """What root adds goes into the store; links, journal and root are the owner's, and so is what comes back."""
    home = give(make_environment(place / "home/env", demo("owner"), python=python()))
    assert "linked 7 of" in nixgen("adopt", home, "--add").stdout
    assert owners(home) == {UID} and owners((home / ".nixgen/adopted").readlink()) == {0}
    roots = subprocess.run(
        ["nix-store", "--gc", "--print-roots"],
        env={**os.environ, **nixgen.environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert str(home / ".nixgen/adopted") in roots
    subprocess.run(["nix-store", "--gc"], env={**os.environ, **nixgen.environment}, capture_output=True, check=True)
    assert "were links already" in nixgen("adopt", home).stdout
    assert "restored 7 files" in nixgen("adopt", home, "--undo").stdout
    assert owners(home) == {UID} and not (home / ".nixgen").exists()


def test_the_environments_python_has_no_rights_of_roots(nixgen: Cli, place: Path) -> None:
    """``bin/python`` is run as the owner, with none of root's variables and groups."""
    home = make_environment(place / "home/env", demo("python"), python=python())
    (home / "bin/python").unlink()
    (home / "bin/python").write_text(f"#!/bin/sh\nid >{home}/id\nenv >{home}/env\nexit 1\n")
    (home / "bin/python").chmod(0o755)
    give(home)
    assert "Python does not run" in nixgen("adopt", home, "--add", code=3).stderr
    assert (home / "id").read_text().startswith(f"uid={UID}") and "root" not in (home / "id").read_text()
    assert "secret" not in (home / "env").read_text()


@pytest.mark.parametrize("theirs", [True, False])
def test_no_journal_makes_a_set_uid_program(nixgen: Cli, place: Path, theirs: bool) -> None:
    """Permissions come back without the bits that give an owner's rights away, whosever environment it is."""
    home = place / "home"
    journal(home, b"program", "d/su", mode=0o6755)
    if not theirs:
        for path in (home, *home.rglob("*")):
            os.chown(path, 0, 0, follow_symlinks=False)
    nixgen("adopt", home, "--undo")
    status = (home / "d/su").lstat()
    assert (status.st_mode & 0o7777, status.st_uid) == (0o755, UID if theirs else 0)


def test_a_journal_names_nothing_outside(nixgen: Cli, place: Path) -> None:
    """Paths that lead out of the environment, or are none, are no entries."""
    home = place / "home"
    journal(home, b"content", "x")
    leaf = str((home / "x").readlink())
    (place / "outside").symlink_to(leaf)
    (home / "link").symlink_to(place)
    entry = {"leaf": leaf, "mode": 0o644, "mtime": 1}
    paths = ["../outside", str(place / "outside"), "link/outside", "a/" * 5000 + "x", "x\0y", "", ".", "x"]
    data = {"nixgen": 1, "files": dict.fromkeys(paths, entry)}
    (home / ".nixgen/adopted.json").write_text(json.dumps(data))
    for path in (home, *home.rglob("*")):
        os.chown(path, 0, 0, follow_symlinks=False)
    assert "restored 1 file " in nixgen("adopt", home, "--undo").stdout
    assert (place / "outside").is_symlink()


def test_what_is_planted(nixgen: Cli, place: Path) -> None:
    """Links and pipes in the place of the journal, its directory and RECORD lead nowhere, and nobody waits."""
    home = make_environment(place / "home/env", demo("planted"), python=python())
    (record,) = home.rglob("RECORD")
    for name in (".nixgen", ".nixgen/adopted.json", ".nixgen/adopted", str(record.relative_to(home))):
        for pipe in (False, True):
            path = home / name
            path.parent.mkdir(exist_ok=True)
            was = path.read_bytes() if path.is_file() and not path.is_symlink() else None
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)
            os.mkfifo(path) if pipe else path.symlink_to(place if name == ".nixgen" else place / "precious")
            give(home)
            began = time.monotonic()
            for arguments in ((), ("--undo",)):
                done = nixgen.start("adopt", home, *arguments)
                done.communicate(timeout=30)
            assert time.monotonic() - began < 30
            path.unlink(missing_ok=True)
            if was is not None:
                path.write_bytes(was)
    assert unchanged(place) and not (place / "adopted.json").exists()


def test_a_race_for_what_is_made(nixgen: Cli, place: Path) -> None:
    """While root restores, the owner puts links to a file of root's in the place of whatever is new."""
    home = place / "home"
    content = b"\0" * (64 << 20)

    def swap() -> None:
        for new in list((home / ".nixgen").iterdir()):
            if new.name != "adopted.json" and not new.name.startswith("was-"):
                new.rename(new.with_name(f"was-{new.name}"))
                new.symlink_to(place / "precious")

    def swap_directories() -> None:
        (home / "d").rename(home / "e")
        (home / "d").symlink_to(place)
        (home / "d").unlink()
        (home / "e").rename(home / "d")

    for step in (swap, swap_directories):
        end = time.monotonic() + TRIES
        while time.monotonic() < end:
            journal(home, content, "d/precious", mode=0o666)
            with meanwhile(step):
                nixgen.start("adopt", home, "--undo").communicate(timeout=60)
            for path in (*home.glob(".nixgen/*"), home / "d", home / "e"):
                if path.is_symlink():
                    path.unlink()
            assert unchanged(place)


def test_what_is_taken_away_meanwhile(capfd: pytest.CaptureFixture[str]) -> None:
    """An error of the system in the user's process is told in three parts, with the machine's exit code."""

    def work() -> int:
        return len(os.listdir("/nowhere/at/all"))  # noqa: PTH208

    child = os.fork()
    if child == 0:
        _exit_with(work)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    said = capfd.readouterr().err
    assert "where: /nowhere/at/all" in said and "what to do: " in said and "unexpected" not in said


def test_no_link_is_followed(place: Path) -> None:
    """Links on the way, and in the place of a file, are errors to whoever opens files below a directory."""
    home = place / "home"
    (home / "link").symlink_to(place)
    (home / "file").symlink_to(place / "precious")
    below = Below(os.open(home, os.O_RDONLY))
    for path in ("link/precious", "file", "../precious", str(place / "precious")):
        with pytest.raises(OSError):
            below.open(path)
    assert below.status("link/precious") is None and below.names("link") == []
