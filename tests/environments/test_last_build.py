"""A build of what was built before: nothing is evaluated, unless something that evaluation depends on has changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nixgen.cache import cache_directory
from nixgen.environments import last_build
from nixgen.environments.last_build import LastBuild
from nixgen.environments.request import Request
from tests.cli.test_build import PYPROJECT
from tests.support.cli import Cli
from tests.support.nix import LIBRARY
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

Serve = Callable[..., WheelServer]


@pytest.fixture
def built(empty_store: Cli, serve: Serve) -> Cli:
    """A project that was built once, in a store of its own."""
    (empty_store.directory / "pyproject.toml").write_text(PYPROJECT)
    wheels = [make_wheel(name, "1.0", {f"{name}_.py": ""}) for name in ("base", "one", "two", "three")]
    empty_store("lock", "--default-index", serve(*wheels).index)
    empty_store("build")
    return empty_store


def evaluates(cli: Cli, *arguments: str | Path, **environment: str) -> bool:
    """Build, see that the link leads to what is printed, and tell whether Nix had to evaluate."""
    done = cli("build", "--debug", *arguments, environment=environment)
    result = cli.directory / "result"
    assert str(result.readlink()) == done.stdout.strip() and (result / "bin/python").exists()
    return "nix-build" in done.stderr


def asks_nix(cli: Cli) -> bool:
    """Build what was built, see that it is not evaluated, and tell whether Nix is asked for it."""
    said = cli("build", "--debug").stderr
    assert "nix-build" not in said and (cli.directory / "result/bin/python").exists()
    return "running " in said


def collect(cli: Cli) -> None:
    """Remove what nothing keeps."""
    subprocess.run(["nix-store", "--gc"], env={**os.environ, **cli.environment}, check=True, capture_output=True)


def test_the_same_is_not_evaluated_again(built: Cli) -> None:
    """Two builds in a row: the second starts no Nix; ``run`` and ``shell`` evaluate nothing either."""
    assert not asks_nix(built)
    assert "running " not in built("run", "--debug", "--", "python", "-c", "").stderr
    assert "nix-build" not in built("run", "--debug", "--", "python", "-c", "").stderr
    assert "nix-build" not in built("shell", "--debug", "--shell", "/bin/sh", "--", "true").stderr


@pytest.mark.parametrize("words", [("build",), ("run", "--", "python", "-c", "pass")])
def test_the_same_again_imports_little(built: Cli, words: tuple[str, ...]) -> None:
    """What takes long to import, and a build of what was built does not need, is not imported for it."""
    code = (
        "import os, sys\nfrom nixgen.cli import main\n"
        "def say(*_):\n    print(*sorted({'dataclasses', 'logging', 'inspect', 'subprocess'} & sys.modules.keys()))\n"
        "os.execvpe = os.execve = os.execv = say\nmain()\nsay()"
    )
    program = (sys.executable, "-c", code)
    assert replace(built, program=program)(*words).stdout.splitlines()[-1] == ""


def test_what_is_logged_is_shown_once_there_is_work() -> None:
    """A warning that is logged reaches the user of a verb which mostly has nothing to do, without secrets, and once."""
    code = (
        "from nixgen.cli.console import Console\nconsole = Console(quiet=False)\n"
        "console.working()\nconsole.working()\nimport logging\n"
        "logging.getLogger('nixgen.x').warning('https://user:secret@host/')\nlogging.getLogger('nixgen.x').info('y')"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr
    assert said.startswith("nixgen.x: https://") and "secret" not in said and said.count("\n") == 1


def test_whatever_changes_is_evaluated(built: Cli) -> None:
    """A choice, the lock, the Nix library, a variable of Nix: with each, and on the way back, Nix evaluates once."""
    first = built("build").stdout
    assert evaluates(built, "--extra", "one") and not evaluates(built, "--extra", "one")
    assert built("build").stdout == first
    lock, library = built.directory / "nixgen.lock", built.directory / "nix/nixgen/lock.nix"
    for file in (lock, library):
        file.write_text(file.read_text() + "\n")
        assert evaluates(built) and not evaluates(built), file
    assert evaluates(built, NIX_CONFIG="cores = 1")
    assert evaluates(built, "--option", "cores", "1") and not evaluates(built, "--option", "cores", "1")


def test_an_edited_default_nix_is_always_evaluated(built: Cli, tmp_path: Path) -> None:
    """What a user writes there may read anything, and so may libraries change that are given."""
    (tmp_path / "given").mkdir()
    assert evaluates(built, "--library", tmp_path / "given") and evaluates(built, "--library", tmp_path / "given")
    path = built.directory / "nix/default.nix"
    ours = path.read_text()
    path.write_text(ours + "# mine\n")
    assert evaluates(built) and evaluates(built)
    path.write_text(ours)
    assert not evaluates(built)


def test_the_default_nix_of_an_earlier_nixgen(built: Cli) -> None:
    """A project that an earlier nixgen has locked, and nobody edited, is not evaluated again either."""
    file = built.directory / "nix/default.nix"
    text = file.read_text().replace("# The environment", "# The Python environment")
    text = re.sub(r"(?s)  # Of the packages of npm.*?  omit \? \[ \],\n", "", text).replace("    node\n    omit\n", "")
    file.write_text(text)
    assert evaluates(built) and not evaluates(built)


def test_another_interpreter_at_the_same_place(built: Cli, tmp_path: Path) -> None:
    """An interpreter that is given by its path is the same as long as the path leads to the same file."""
    real = (built.directory / "result/bin/python").readlink()
    given = tmp_path / real.name
    given.symlink_to(real)
    assert evaluates(built, "--python", given) and not evaluates(built, "--python", given)
    given.unlink()
    given.symlink_to(shutil.copy(real, tmp_path / "copy"))
    assert evaluates(built, "--python", given) and not evaluates(built, "--python", given)
    os.utime(tmp_path / "copy", ns=(1, 1))
    assert evaluates(built, "--python", given)
    given.unlink()
    # A script may choose another Python each time.
    given.write_text(f'#!/bin/sh\nexec {real} "$@"\n')
    given.chmod(0o755)
    assert evaluates(built, "--python", given) and evaluates(built, "--python", given)
    given.unlink()
    assert str(given) in built("build", "--python", given, code=3).stderr


def test_the_link_is_made_again(built: Cli) -> None:
    """A link that is gone or leads elsewhere is put right, and keeps the environment from garbage collection."""
    result = built.directory / "result"
    path = result.readlink()
    (tree,) = (way.readlink() for way in path.glob("lib/python*/.t0"))
    result.unlink()
    assert not evaluates(built)
    result.unlink()
    result.symlink_to(tree)
    assert not evaluates(built)
    for root in roots(built):
        root.unlink()
    assert not evaluates(built)
    collect(built)
    assert result.readlink() == path and (result / "bin/python").exists()


def roots(cli: Cli) -> list[Path]:
    """Return Nix's roots that lead to links of users."""
    return list(Path(cli.environment["NIX_STATE_DIR"], "gcroots/auto").iterdir())


def test_nix_is_asked_of_a_link_that_was_away(built: Cli) -> None:
    """A collection may have come by meanwhile: with the same link made again, and the same root, Nix is asked, once."""
    for path in (built.directory / "result", *roots(built)):
        target = path.readlink()
        path.unlink()
        path.symlink_to(target)
        assert asks_nix(built) and not asks_nix(built), path
    collect(built)
    assert not asks_nix(built)


def test_a_link_of_one_place_is_nothing_at_another(built: Cli, tmp_path: Path) -> None:
    """A project that was moved, and the link with it, has no root: Nix is asked, and keeps it at the new place."""
    built.directory.rename(tmp_path / "moved")
    moved = replace(built, directory=tmp_path / "moved")
    assert evaluates(moved) and not asks_nix(moved)
    collect(built)
    assert not asks_nix(moved)


def test_what_was_collected_is_built_again(built: Cli) -> None:
    """An environment that the store no longer holds is built, also where the link is made again by hand."""
    result = built.directory / "result"
    path = result.readlink()
    for again in (False, True):
        result.unlink()
        collect(built)
        if again:
            result.symlink_to(path)
        assert evaluates(built) and not asks_nix(built)


def test_a_link_that_was_aside_during_a_collection(built: Cli) -> None:
    """Renamed away and back, whole directories too, while what it led to was collected: it is built again."""
    for moved in (built.directory / "result", built.directory):
        aside = moved.with_name("aside")
        moved.rename(aside)
        collect(built)
        aside.rename(moved)
        assert evaluates(built) and not asks_nix(built)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"built": 1}', '{"built": "/", "of": 1, "held": 1}'])
def test_a_damaged_memory_is_no_harm(built: Cli, text: str) -> None:
    """A file of the cache that makes no sense is written anew."""
    (memory,) = Path(built.environment["XDG_CACHE_HOME"], "nixgen/builds").iterdir()
    memory.write_text(text)
    assert evaluates(built) and not evaluates(built)


def test_a_cache_that_cannot_be_written(built: Cli) -> None:
    """Without a cache directory everything works, and evaluates."""
    for _ in range(2):
        assert evaluates(built, XDG_CACHE_HOME="/dev/null")


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody knows the user's home, as in some containers, the cache directory is one that cannot be made."""
    for name in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    with pytest.raises(NotADirectoryError):
        cache_directory().mkdir(parents=True)


@pytest.fixture
def last(built: Cli, monkeypatch: pytest.MonkeyPatch) -> Callable[[], LastBuild]:
    """Give what remembers the build of the project, anew each time."""
    request = Request(base=built.directory)
    for name, value in built.environment.items():
        monkeypatch.setenv(name, value)
    return lambda: LastBuild(request, built.directory / "result")


def test_a_change_during_the_build_is_not_remembered(built: Cli, last: Callable[[], LastBuild]) -> None:
    """What was read before the build and changed in it does not stand for what was built."""
    before = last()
    lock = built.directory / "nixgen.lock"
    text = lock.read_text()
    lock.write_text(text + "\n")
    before.keep("/nonexistent")
    lock.write_text(text)
    assert last().find() == str((built.directory / "result").readlink())


def test_another_python_of_the_machine(
    built: Cli, last: Callable[[], LastBuild], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python that comes to where they are looked for may be the one to take."""
    monkeypatch.setattr(last_build, "MACHINE_DIRECTORIES", (str(tmp_path / "bin"),))
    (tmp_path / "bin").mkdir()
    assert last().find() is None
    path = str((built.directory / "result").readlink())
    last().keep(path)
    assert last().find() == path
    (tmp_path / "bin/python3.11").write_text("")
    assert last().find() is None


def test_links_in_the_project_are_not_remembered(built: Cli, last: Callable[[], LastBuild], tmp_path: Path) -> None:
    """Behind a link to the Nix files Nix finds other things than lie beside the lock."""
    for name in ("nix/nixgen", "nix"):
        path = built.directory / name
        path.rename(tmp_path / "moved")
        path.symlink_to(tmp_path / "moved")
        assert last().find() is None
        path.unlink()
        (tmp_path / "moved").rename(path)
        assert last().find() is not None


def test_the_directories_are_those_of_the_nix_library() -> None:
    """Which Pythons of the machine count is said twice."""
    text = (LIBRARY / "interpreter.nix").read_text()
    listed = re.search(r"directories = \[(.*?)\];", text, re.DOTALL)
    assert listed is not None and tuple(re.findall(r'"(.+?)"', listed[1])) == last_build.MACHINE_DIRECTORIES
