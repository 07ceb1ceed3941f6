"""Layers of an image, without Nix."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from tests.builders.conftest import BUILDERS  # noqa: F401 - makes the builders importable

import layers  # isort: skip


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of an environment of two trees with a leaf in common, and an interpreter."""
    store = tmp_path / "store"
    for name, size in (("small", 10), ("large", 5000)):
        (store / _name(name) / "nix-support").mkdir(parents=True)
        (store / _name(name) / "nix-support/nixgen.json").write_text("{}")
        (store / _name(name) / "file").write_text("x" * size)
    for name in ("python", "libc", "env", "zlib"):
        (store / _name(name)).mkdir()
    (store / _name("leaf")).write_text("x")
    return store


def _name(name: str) -> str:
    return f"{name[0] * 32}-{name}"


def _references(store: Path) -> dict[str, list[str]]:
    needed = {
        "app": ["env"],
        "env": ["env", "small", "large", "python", "zlib"],
        "small": ["leaf"],
        "large": ["leaf", "python"],
        "python": ["libc"],
        "libc": ["libc"],
        "zlib": ["libc"],
        "leaf": [],
    }
    return {str(store / _name(path)): [str(store / _name(n)) for n in needs] for path, needs in needed.items()}


def _plan(store: Path, limit: int) -> list[tuple[str, list[str]]]:
    env, python, zlib, top = (str(store / _name(name)) for name in ("env", "python", "zlib", "app"))
    planned = layers.plan(_references(store), base=[python], common=[zlib], env=env, top=[top], limit=limit)
    return [(name, [Path(path).name[33:] for path in paths]) for name, paths in planned]


def test_a_layer_depends_on_what_it_is_alone(store: Path) -> None:
    """The interpreter's closure is lowest, then what is no package; each tree has all its leaves; the env is last."""
    assert _plan(store, 100) == [
        ("interpreter", ["libc", "python"]),
        ("what environments share", ["zlib"]),
        ("large", ["large", "leaf"]),
        ("small", ["leaf", "small"]),
        ("environment", ["env"]),
        ("application", ["app"]),
    ]


def test_the_number_of_layers_is_kept(store: Path) -> None:
    """With a limit, the smallest trees share a layer that lies below those of the larger."""
    assert [name for name, _ in _plan(store, 6)] == [name for name, _ in _plan(store, 100)]
    assert _plan(store, 5)[2:4] == [("small packages", ["large", "leaf", "small"]), ("environment", ["env"])]


def test_the_graph_of_nix_is_read(tmp_path: Path) -> None:
    """Paths, derivations (empty or not) and references are told apart."""
    (tmp_path / "graph").write_text("/s/a\n\n0\n/s/b\n/s/b.drv\n2\n/s/a\n/s/b\n")
    assert layers.read_graph(tmp_path / "graph") == {"/s/a": [], "/s/b": ["/s/a", "/s/b"]}


def test_a_layer_has_no_trace_of_its_making(tmp_path: Path) -> None:
    """Times, hard links and the order in a directory do not reach a layer; links and x bits do."""
    path = tmp_path / "x"
    path.mkdir()
    for name in ("b", "a"):
        (path / name).write_text("same")
    (path / "run").write_text("#!/bin/sh\n")
    (path / "run").chmod(0o755)
    (path / "link").symlink_to("a" * 150)
    first = io.BytesIO()
    layers.write(first, [str(path)])
    os.utime(path / "a", (1000, 1000))
    (path / "b").unlink()
    os.link(path / "a", path / "b")
    second = io.BytesIO()
    digest = layers.write(second, [str(path)])
    assert second.getvalue() == first.getvalue()
    assert digest == hashlib.sha256(first.getvalue()).hexdigest()
    second.seek(0)
    with tarfile.open(fileobj=second) as archive:
        found = [entry for entry in archive.getmembers() if entry.name.startswith(str(path).lstrip("/") + "/")]
    assert [(Path(entry.name).name, entry.mode) for entry in found] == [
        ("a", 0o444),
        ("b", 0o444),
        ("link", 0o777),
        ("run", 0o555),
    ]
    assert [entry.linkname for entry in found if entry.issym()] == ["a" * 150]
    assert {(entry.mtime, entry.uid, entry.uname) for entry in found} == {(1, 0, "")}
