"""What is written into a project."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest

from nixgen.emit import files
from nixgen.emit.project import Files, render
from tests.support.indexes import make_index, make_lock
from tests.support.nix import LIBRARY, NixInstallation, evaluate

LOCK = make_lock(make_index("demo"))
OTHER = make_lock(make_index("demo"), make_index("other"))


def _state(directory: Path) -> dict[str, bytes]:
    """Return every file below a directory with its content, hidden ones too."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def _entries(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


def test_a_project_gets_lock_and_library(tmp_path: Path) -> None:
    """The lock, the library and ``nix/default.nix`` are written and said to have changed, the lock last."""
    changed = Files(lock=LOCK).write(tmp_path)
    assert changed == [tmp_path / "nix/nixgen", tmp_path / "nix/default.nix", tmp_path / "nixgen.lock"]
    state = _state(tmp_path)
    assert state.pop("nixgen.lock") == LOCK.to_text().encode()
    assert state.pop("nix/default.nix") == render("default.nix").encode()
    library = {name: content for name, content in _state(LIBRARY).items() if not name.endswith(".pyc")}
    assert state == {f"nix/nixgen/{name}": content for name, content in library.items()}


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    """Writing the same lock again changes nothing and touches no file."""
    Files(lock=LOCK).write(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert Files(lock=LOCK).changes(tmp_path) == []
    assert Files(lock=LOCK).write(tmp_path) == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == times


def test_changes_writes_nothing(tmp_path: Path) -> None:
    """``changes`` says what would be written, and writes none of it."""
    assert len(Files(lock=LOCK).changes(tmp_path)) == 3
    assert _entries(tmp_path) == set()
    Files(lock=LOCK).write(tmp_path)
    assert Files(lock=OTHER).changes(tmp_path) == [tmp_path / "nixgen.lock"]
    assert (tmp_path / "nixgen.lock").read_text() == LOCK.to_text()


def test_default_nix_belongs_to_the_user(tmp_path: Path) -> None:
    """An existing ``nix/default.nix`` and other files in ``nix/`` are left as they are."""
    (tmp_path / "nix").mkdir()
    (tmp_path / "nix/default.nix").write_text("# my nixgen")
    (tmp_path / "nix/other.nix").write_text("mine too")
    assert Files(lock=LOCK).write(tmp_path) == [tmp_path / "nix/nixgen", tmp_path / "nixgen.lock"]
    assert (tmp_path / "nix/default.nix").read_text() == "# my nixgen"
    assert (tmp_path / "nix/other.nix").read_text() == "mine too"


def test_the_library_is_always_this_nixgens(tmp_path: Path) -> None:
    """In ``nix/nixgen`` changed files are replaced, strange ones go and missing ones come."""
    Files(lock=LOCK).write(tmp_path)
    library = tmp_path / "nix/nixgen"
    (library / "leaf.nix").write_text("changed")
    (library / "old.nix").write_text("of an older nixgen")
    (library / "builders/tree.py").unlink()
    assert Files(lock=LOCK).write(tmp_path) == [library]
    assert _state(library) == {name: text for name, text in _state(LIBRARY).items() if not name.endswith(".pyc")}


def test_bytecode_in_the_library_is_no_change(tmp_path: Path) -> None:
    """Bytecode that lies in the library, here or there, is neither copied nor a reason to write."""
    Files(lock=LOCK).write(tmp_path)
    (tmp_path / "nix/nixgen/builders/__pycache__").mkdir()
    (tmp_path / "nix/nixgen/builders/__pycache__/x.pyc").write_bytes(b"x")
    assert Files(lock=LOCK).write(tmp_path) == []


def test_permissions_are_those_of_files(tmp_path: Path) -> None:
    """What is written can be read by everybody that the umask lets, as any file of a project."""
    previous = os.umask(0o022)
    try:
        Files(lock=LOCK).write(tmp_path)
    finally:
        os.umask(previous)
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path


class Stop(BaseException):
    """Something that no ``except Exception`` catches, as an interrupt."""


def _failing(call: int, original: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
    """Return a function that does what another does, but stops at one call, before it or after it is done."""
    count = 0

    def function(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        if count == call and not after:
            raise Stop
        result = original(*args, **kwargs)
        if count == call:
            raise Stop
        return result

    return function


WRITES = [("write_bytes", 1), ("write_bytes", 5), ("replace", 1)]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("operation", "call"), [*WRITES, ("exchange", 1)])
def test_an_interruption_leaves_the_previous_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, call: int, after: bool
) -> None:
    """Whatever write or rename is interrupted, every file is whole, old or new, and no temporary one is left."""
    Files(lock=LOCK).write(tmp_path)
    (tmp_path / "nix/nixgen/leaf.nix").write_text("an older library")
    before = _state(tmp_path)
    owner = files if operation == "exchange" else Path
    monkeypatch.setattr(owner, operation, _failing(call, getattr(owner, operation), after=after))
    with pytest.raises(Stop):
        Files(lock=OTHER).write(tmp_path)
    monkeypatch.undo()
    left = _state(tmp_path)
    assert left.keys() == before.keys()
    assert left["nix/nixgen/leaf.nix"] in (before["nix/nixgen/leaf.nix"], (LIBRARY / "leaf.nix").read_bytes())
    if (operation, after) != ("replace", True):
        assert left["nixgen.lock"] == before["nixgen.lock"]
    assert not [name for name in _entries(tmp_path) if "/." in f"/{name}"]
    Files(lock=OTHER).write(tmp_path)
    assert Files(lock=OTHER).changes(tmp_path) == []


@pytest.mark.parametrize(("operation", "call"), [*WRITES, ("rename", 1)])
def test_an_interruption_of_the_first_time_leaves_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, call: int
) -> None:
    """An interrupted first time leaves no lock, since that makes the rest count, and nothing temporary."""
    monkeypatch.setattr(Path, operation, _failing(call, getattr(Path, operation)))
    with pytest.raises(Stop):
        Files(lock=LOCK).write(tmp_path)
    assert not (tmp_path / "nixgen.lock").exists()
    assert not [name for name in _entries(tmp_path) if "/." in f"/{name}"]


def test_a_linked_lock_is_written_where_it_leads(tmp_path: Path) -> None:
    """Where the lock is a link, or the directory beside it, both stay, and what they lead to is written, as by uv and
    npm."""
    (tmp_path / "shared/nix").mkdir(parents=True)
    (tmp_path / "nixgen.lock").symlink_to("shared/lock")
    (tmp_path / "nix").symlink_to("shared/nix")
    Files(lock=LOCK).write(tmp_path)
    assert (tmp_path / "shared/lock").read_text() == LOCK.to_text()
    assert (tmp_path / "nixgen.lock").is_symlink() and (tmp_path / "nix").is_symlink()
    assert (tmp_path / "shared/nix/default.nix").is_file()
    assert Files(lock=LOCK).changes(tmp_path) == []


def test_templates_take_values_as_strings_of_nix(nix_store: NixInstallation, tmp_path: Path) -> None:
    """A description of any text stands in ``flake.nix`` as that text."""
    for text in ('${throw "x"}', 'a "b" \\', "''", "größe"):
        (tmp_path / "flake.nix").write_text(
            render("flake.nix", description=text, standalone=False, python=True, npm=False)
        )
        assert evaluate("(import (/. + file)).description", nix_store.env, file=str(tmp_path / "flake.nix")) == text


def test_a_missing_value_is_an_error() -> None:
    """A template whose value is not given is an error, not an empty place."""
    with pytest.raises(jinja2.UndefinedError):
        render("flake.nix")


def test_templates_are_nix(nix_store: NixInstallation, tmp_path: Path) -> None:
    """Every template is an expression that Nix parses."""
    module = dict.fromkeys(("id", "name", "description", "venv", "languages"), "x")
    module |= dict.fromkeys(("version", "groups")) | {"entrypoints": ["x"], "extras": ["x"]}
    for name, values in (
        ("default.nix", {}),
        ("flake.nix", {"description": "x", "standalone": True, "python": True, "npm": True}),
        ("flake.nix", {"description": "x", "standalone": False, "python": False, "npm": True}),
        *(("module.nix", {**module, "python": python, "npm": not python}) for python in (True, False)),
    ):
        (tmp_path / name).write_text(render(name, **values))
        command = ["nix-instantiate", "--parse", tmp_path / name]
        subprocess.run(command, env=nix_store.env, check=True, capture_output=True)


def test_a_written_project_is_evaluated(nix_store: NixInstallation, tmp_path: Path) -> None:
    """What was written is a lock and a library that belong together: Nix reads one with the other."""
    Files(lock=LOCK).write(tmp_path)
    expression = '((import (/. + dir + "/nix/nixgen")).readLock (/. + dir + "/nixgen.lock")).nixgen'
    assert evaluate(expression, nix_store.env, dir=str(tmp_path)) == 2
