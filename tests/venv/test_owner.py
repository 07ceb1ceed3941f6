"""Root in somebody else's directory: the work is done with that user's rights, whatever he puts there meanwhile."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nixgen.venv import program
from tests.builders.conftest import Workbench
from tests.support.nix import LIBRARY
from tests.support.owner import UID, as_owner, as_root, give, meanwhile, open_directory, python
from tests.venv.conftest import SHELLS, Venv, demo_wheel, shell_command, snapshot

pytestmark = as_root

#: How long a user tries, in seconds.
TRIES = 3


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the user can enter, with one of his own, ``home``, and one of root's, ``precious``."""
    with open_directory() as directory:
        (directory / "home").mkdir()
        give(directory / "home")
        (directory / "precious").mkdir()
        (directory / "precious/file").write_text("precious")
        (directory / "precious/file").chmod(0o600)
        (directory / "state/gcroots/auto").mkdir(parents=True)
        yield directory


@pytest.fixture
def theirs(place: Path) -> Venv:
    """A directory of the user that is not there yet, for an environment that he can read."""
    return Venv(
        directory=place / "home/venv", env=environment(place), environment={"NIX_STATE_DIR": str(place / "state")}
    )


def environment(place: Path) -> Path:
    """Make an environment in a store that the user can read, with an interpreter and a program that he can run."""
    made = Workbench(place).env(demo_wheel())
    (made / "bin/python").unlink()
    (made / "bin/python").symlink_to(python())
    shutil.copytree(LIBRARY / "venv", place / "store/parts")
    own = made / "bin/nixgen-venv"
    text = own.read_text().replace(str(LIBRARY / "venv"), str(place / "store/parts"))
    own.unlink()
    own.write_text(text)
    own.chmod(0o755)
    return made


def owners(directory: Path) -> set[int]:
    return {path.lstat().st_uid for path in (directory, *directory.rglob("*"))}


@pytest.mark.parametrize("shell", SHELLS)
def test_what_root_makes_is_the_owners(theirs: Venv, place: Path, shell: str) -> None:
    """Made, healed and filled by root, by any shell: all of it belongs to whom the directory belongs to."""
    theirs.shell = shell_command(shell)
    theirs()
    assert owners(theirs.directory) == {UID}
    (theirs.directory / "bin/python").unlink()
    assert "healed: bin/python" in theirs().stderr and theirs().stderr == ""
    theirs("--farm")
    assert owners(theirs.directory) == {UID} and (theirs.site / "demo/data.txt").exists()
    assert theirs("--check").stdout == ""


def test_nix_knows_the_owners_link(theirs: Venv, place: Path) -> None:
    """The link in the directory is its owner's, and Nix's link to that is root's."""
    theirs()
    link = theirs.directory / ".nixgen/roots" / theirs.env.name
    (known,) = (place / "state/gcroots/auto").iterdir()
    assert (link.lstat().st_uid, link.readlink(), known.readlink()) == (UID, theirs.env, link)


def test_roots_own_directory_starts_no_python(theirs: Venv, place: Path) -> None:
    """In a directory of root's, below none of somebody else's, nothing is started that was not before."""
    wrapper, ran = place / "python", place / "ran"
    wrapper.write_text(f'#!/bin/sh\n: >{ran}\nexec {python()} "$@"\n')
    wrapper.chmod(0o755)
    (theirs.env / "bin/python").unlink()
    (theirs.env / "bin/python").symlink_to(wrapper)
    mine = Venv(directory=place / "mine", env=theirs.env)
    mine()
    assert owners(mine.directory) == {0} and mine("--check").stdout == ""
    assert not ran.exists()
    theirs("--check", code=1)
    assert ran.exists()


def test_roots_directory_in_the_users(theirs: Venv) -> None:
    """What root made before in a user's directory is root's, and healed as such."""
    theirs.directory.mkdir()
    theirs()
    assert owners(theirs.directory) == {0}
    (theirs.directory / "bin/python").unlink()
    assert "healed: bin/python" in theirs().stderr


def test_a_link_of_the_users_does_not_lead_root(theirs: Venv, place: Path) -> None:
    """Where a user's link leads to a directory of root's, that is not healed with root's rights."""
    mine = Venv(directory=place / "mine", env=theirs.env)
    mine()
    (mine.directory / "pyvenv.cfg").unlink()
    before = snapshot(mine.directory)
    as_owner(lambda: theirs.directory.symlink_to(mine.directory))
    assert "cannot write" in theirs(code=7).stderr
    assert program.run(theirs.directory, ["--heal"], environment=None) == 3
    assert snapshot(mine.directory) == before


def test_without_python_root_does_nothing(theirs: Venv) -> None:
    """Where the environment's Python is gone, the error says what to do, and nothing is touched."""
    theirs()
    (theirs.directory / "pyvenv.cfg").unlink()
    before = snapshot(theirs.directory)
    (theirs.env / "bin/python").unlink()
    said = theirs(code=3).stderr
    assert "root has no Python here" in said and "as its owner" in said
    assert snapshot(theirs.directory) == before


def test_the_owners_own_copy_is_not_for_root(theirs: Venv) -> None:
    """DIR/bin/nixgen-venv is its owner's, and refuses to go on with root's rights."""
    theirs()
    command = [theirs.directory / "bin/nixgen-venv"]
    done = subprocess.run(command, env=theirs.variables(), capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "belongs to somebody else" in done.stderr


@pytest.mark.parametrize("line", ["env", "previous"])
@pytest.mark.parametrize("arguments", [["--heal"], ["--heal", "--check"], ["--rollback"], ["--heal", "--dry-run"]])
def test_a_state_names_no_program(theirs: Venv, place: Path, arguments: list[str], line: str) -> None:
    """What the marker says of an environment counts only for what is in the store: of the owner's, nothing runs."""
    theirs("--farm")
    evil, ran = place / "home/evil", place / "home/ran"

    def plant() -> None:
        shutil.copytree(theirs.env, evil, symlinks=True)
        for name in ("python", "nixgen-venv"):
            (evil / "bin" / name).unlink()
            (evil / f"own-{name}").write_text(f"#!/bin/sh\n: >{ran}\n")
            (evil / f"own-{name}").chmod(0o755)
            # As in an environment, where the interpreter is asked for its version.
            (evil / "bin" / name).symlink_to(evil / f"own-{name}")
        state = theirs.directory / ".nixgen/state"
        kept = [text for text in state.read_text().splitlines() if not text.startswith(f"{line} ")]
        state.write_text("\n".join([*kept, f"{line} {evil}"]) + "\n")
        if line == "previous":
            (theirs.directory / ".nixgen/farm").unlink()

    as_owner(plant)
    theirs(*arguments) if (line, arguments[0]) == ("previous", "--heal") and len(arguments) == 1 else theirs.start(
        *arguments
    )
    assert line == "previous" or program.environment_below(theirs.directory) is None
    program.run(theirs.directory, arguments, environment=program.environment_below(theirs.directory))
    assert not ran.exists()


def plant_link(name: str) -> Callable[[Path, Path], None]:
    """Put a link to root's directory, or to the file in it, in the place of something."""

    def do(directory: Path, precious: Path) -> None:
        path = directory / name
        target = precious if path.is_dir() or name.endswith("roots") else precious / "file"
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.symlink_to(target)

    return do


def plant_pipe(name: str) -> Callable[[Path, Path], None]:
    """Put a pipe that nobody writes to in the place of a file."""

    def do(directory: Path, _precious: Path) -> None:
        (directory / name).unlink(missing_ok=True)
        os.mkfifo(directory / name)

    return do


PLACES = (".nixgen/state", ".nixgen/commands", ".nixgen/farm", ".nixgen/lock", "pyvenv.cfg", "bin/tool")
DIRECTORIES = (".nixgen", ".nixgen/roots", "bin", "lib", "lib64")


@pytest.mark.parametrize("plant", [*map(plant_link, (*PLACES, *DIRECTORIES)), *map(plant_pipe, PLACES)])
@pytest.mark.parametrize("form", ["--overlay", "--farm"])
def test_what_is_planted(theirs: Venv, place: Path, plant: Callable[[Path, Path], None], form: str) -> None:
    """Links to what is root's, and pipes, in the place of each file: root's stays as it was, and nothing waits."""
    theirs(form)
    before = snapshot(place / "precious")
    as_owner(lambda: plant(theirs.directory, place / "precious"))
    began = time.monotonic()
    theirs.start("--overlay" if form == "--farm" else "--farm")
    assert program.run(theirs.directory, ["--heal"], environment=theirs.env) in (0, 3)
    assert time.monotonic() - began < 30
    assert snapshot(place / "precious") == before


def test_a_race_for_every_directory(theirs: Venv, place: Path) -> None:
    """While root heals again and again, the owner swaps directories, and what is made there, for links to root's."""
    theirs()
    before = snapshot(place / "precious")
    home, precious = theirs.directory, place / "precious"

    def swap() -> None:
        for name in (".nixgen", "bin", "lib"):
            (home / name).rename(home / f"{name}.was")
            (home / name).symlink_to(precious)
            (home / name).unlink()
            (home / f"{name}.was").rename(home / name)
        for file in list((home / ".nixgen").iterdir()):
            if file.name.startswith(("new-", "lock")):
                file.rename(file.with_name(f"was-{file.name}"))
                file.symlink_to(precious / "file")

    end = time.monotonic() + TRIES
    with meanwhile(swap):
        while time.monotonic() < end:
            for name in ("pyvenv.cfg", ".nixgen/commands", "bin/python"):
                (home / name).unlink(missing_ok=True)
            theirs.start()
    assert snapshot(precious) == before and owners(precious) == {0}


def test_a_race_for_the_directory_itself(theirs: Venv, place: Path) -> None:
    """While root makes and heals DIR, its owner swaps it for a link to an empty directory of root's."""
    empty = place / "empty"
    empty.mkdir()
    home = theirs.directory

    def swap() -> None:
        home.symlink_to(empty)
        home.unlink()
        home.mkdir()
        home.rmdir()

    end = time.monotonic() + TRIES
    with meanwhile(swap):
        while time.monotonic() < end:
            theirs.start()
            shutil.rmtree(home, ignore_errors=True)
            program.run(home, [], environment=theirs.env)
            shutil.rmtree(home, ignore_errors=True)
    assert list(empty.iterdir()) == []


def test_the_user_sees_none_of_roots_variables(theirs: Venv, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process with the user's rights gets is what it needs."""
    monkeypatch.setenv("NIX_CONFIG", "access-tokens = secret")
    monkeypatch.setenv("HOME", "/root")
    given = program.rights().variables(UID)
    assert given["HOME"] == "/" and "PATH" in given and "secret" not in " ".join(given.values())


def test_a_marker_of_somebody_elses_is_none(place: Path) -> None:
    """The marker is read where it is the directory's own file alone: no link or pipe, not long, no other owner's."""
    read, home = program.rights().read, place / "home"
    (home / ".nixgen").mkdir()
    state = home / ".nixgen/state"
    state.write_text("text")
    give(home)
    descriptor = os.open(home, os.O_RDONLY)
    try:
        assert read(descriptor, ".nixgen/state") == b"text"
        assert read(descriptor, ".nixgen/state", 3) is None
        os.chown(state, 0, 0)
        assert read(descriptor, ".nixgen/state") is None
        for plant in (plant_link, plant_pipe):
            plant(".nixgen/state")(home, place / "precious")
            assert read(descriptor, ".nixgen/state") is None
    finally:
        os.close(descriptor)


def test_what_is_made_with_an_owners_rights(place: Path) -> None:
    """It is his from the start, where he may make it; and afterwards root is root again, with its groups."""
    rights, groups = program.rights(), os.getgroups()
    with rights.rights_of(UID, UID):
        (place / "home/made").mkdir()
        with pytest.raises(PermissionError):
            (place / "precious/made").mkdir()
    assert (place / "home/made").stat().st_uid == UID
    assert (os.geteuid(), os.getegid(), os.getgroups()) == (0, 0, groups)


def test_a_link_that_is_exchanged_while_it_is_registered(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was a link and is none any more makes no root, and no error: a race that the campaign won once in hours."""
    specification = importlib.util.spec_from_file_location("owner", LIBRARY / "venv/owner.py")
    assert specification is not None and specification.loader is not None
    owner = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(owner)
    (place / "home/link").symlink_to(place / "home")
    monkeypatch.setenv("NIX_STATE_DIR", str(place / "state"))
    roots = place / "state/gcroots/auto"
    with monkeypatch.context() as exchanged:
        exchanged.setattr(os, "readlink", lambda path, **_: os.open(path, os.O_RDONLY | os.O_NOFOLLOW))  # ELOOP
        owner.register(str(place / "home/link/root"))
    assert list(roots.iterdir()) == []
    owner.register(str(place / "home/link/root"))
    assert [link.readlink() for link in roots.iterdir()] == [place / "home/root"]
