"""A build says when the inputs have changed since the lock was made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen.fingerprint import changed, fingerprints
from tests.support.cli import Cli
from tests.support.locks import change_package
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

Serve = Callable[..., WheelServer]

PROJECT = """\
[project]
name = "shop"
version = "1"
description = "Sells"
dependencies = ["demo"]
[tool.other]
x = 1
"""


def _changed(tmp_path: Path, before: str, after: str, name: str) -> list[str]:
    path = tmp_path / name
    path.write_text(before)
    said = fingerprints([path], tmp_path)
    assert changed(said, tmp_path) == []
    path.write_text(after)
    return changed(said, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ('["demo"]', '["demo>1"]', True),
        ('name = "shop"', 'name = "store"', True),
        ("[tool.other]", "[tool.uv]", True),
        ("[tool.other]", "[dependency-groups]\ndev = []\n[tool.other]", True),
        ('"Sells"', '"Sells more"', False),
        ('version = "1"', 'version = "2"', False),
        ("x = 1", "x = 2", False),
        ('["demo"]', "[ 'demo' ]  # a comment", False),
    ],
)
def test_what_counts_of_a_project(tmp_path: Path, old: str, new: str, counts: bool) -> None:
    """What has a part in the lock counts; a version, a description and how it is written do not."""
    assert _changed(tmp_path, PROJECT, PROJECT.replace(old, new), "pyproject.toml") == ["pyproject.toml"] * counts


def test_included_files_count(tmp_path: Path) -> None:
    """A requirements file says what it includes, also what that includes; a file that goes is a change."""
    (tmp_path / "requirements.in").write_text("demo\n-r more/a.in  # comment\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/a.in").write_text("-c b.txt\n")
    (tmp_path / "more/b.txt").write_text("x<2\n")
    said = fingerprints([tmp_path / "requirements.in"], tmp_path)
    assert list(said) == ["more/a.in", "more/b.txt", "requirements.in"]
    (tmp_path / "more/b.txt").write_text("x<3\n")
    (tmp_path / "more/a.in").unlink()
    assert changed(said, tmp_path) == ["more/a.in", "more/b.txt"]


@pytest.mark.nix
def test_a_build_says_so(empty_store: Cli, serve: Serve) -> None:
    """``build`` and ``run`` note it and go on; --locked stops, --frozen does not look; a new lock ends it."""
    inputs = empty_store.directory / "requirements.in"
    inputs.write_text("demo\n")
    index = serve(make_wheel()).index
    empty_store("lock", "--default-index", index)
    assert "changed" not in empty_store("build").stderr
    inputs.write_text("demo>=1\n")
    assert "requirements.in has changed since the lock was made" in empty_store("build").stderr
    assert "requirements.in has changed" in empty_store("run", "--", "true").stderr
    said = empty_store("build", "--locked", code=3).stderr
    assert "requirements.in has changed" in said and "run `nixgen lock`" in said
    assert "changed" not in empty_store("build", "--frozen").stderr
    empty_store("lock", "--default-index", index)
    assert "changed" not in empty_store("build", "--locked").stderr


@pytest.mark.nix
def test_a_lock_that_cannot_be_used_is_kept(nixgen: Cli, project: Path, serve: Serve) -> None:
    """A lock with a merge conflict, a damaged or a newer one is an error of ``lock`` too, and stays as it is."""
    (project / "requirements.in").write_text("demo\n")
    index = serve(make_wheel()).index
    nixgen("lock", "--default-index", index)
    path = project / "nixgen.lock"
    good = path.read_text()
    for bad, word in (
        ("<<<<<<< ours\n" + good, "git checkout"),
        (good.replace('"nixgen": 2', '"nixgen": 3'), "the nixgen that wrote it"),
        (good.replace('"sha256"', '"sha1"'), "damaged"),
        ("", "git checkout"),
    ):
        path.write_text(bad)
        for arguments in (("lock", "--default-index", index), ("lock", "--upgrade", "--default-index", index)):
            assert word in nixgen(*arguments, code=3).stderr
            assert path.read_text() == bad
    path.write_text(good)
    change_package(path, "demo-1.0-py3-none-any.whl", sha256="0" * 64)
    assert "restore the lock" in nixgen("build", code=5).stderr


@pytest.mark.nix
def test_another_default_nix_is_refused_by_name(nixgen: Cli, project: Path, serve: Serve) -> None:
    """A nix/default.nix that was there before and has nothing to do with nixgen is neither built nor taken for it."""
    (project / "nix").mkdir()
    foreign = project / "nix/default.nix"
    foreign.write_text('{ ... }: derivation { name = "x"; system = "x"; builder = "x"; }\n')
    (project / "requirements.in").write_text("demo\n")
    index = serve(make_wheel()).index
    assert "nix/default.nix" in nixgen("lock", "--default-index", index, code=3).stderr
    assert not (project / "nixgen.lock").exists()
    text = foreign.read_text()
    foreign.unlink()
    nixgen("lock", "--default-index", index)
    foreign.write_text(text)
    assert "nix/default.nix" in nixgen("build", code=3).stderr
