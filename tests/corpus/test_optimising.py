"""Copies in a store that keeps equal files once, and in any other, as docs/sharing.md has it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixgen.leaf import leaf_path
from tests.nix.conftest import INTERPRETER, PYTHON
from tests.support.locks import lock_wheels
from tests.support.nix import NixInstallation, build
from tests.support.wheels import make_wheel, nix_sha256

ENV = """
nixgen.env { lock = nixgen.readLock (/. + file); system = builtins.currentSystem; python = pythonPath; }
"""

#: A module that resolves itself is a copy, and so is a program.
MODULE = "import os\nhere = os.path.realpath(__file__)\n"
PROGRAM = "#!/bin/sh\necho ran\n"


@pytest.fixture
def nix(tmp_path: Path) -> Iterator[NixInstallation]:
    """A Nix whose store is empty, so that its settings count for everything in it."""
    installation = NixInstallation.of_machine(tmp_path / "nix")
    yield installation
    installation.make_removable()


@pytest.mark.parametrize("way", ["never", "setting", "command"])
def test_copies_share_with_their_leaves(way: str, nix: NixInstallation, tmp_path: Path) -> None:
    """A copy has the inode of its leaf, whoever made it so; a program that of the other release's, where Nix does."""
    if way == "setting":
        nix.env["NIX_CONFIG"] += "auto-optimise-store = true\n"
    trees = []
    for version in ("1.0", "2.0"):
        files = {"demo/__init__.py": MODULE, "demo/run": PROGRAM, "demo/v.py": f"version = {version!r}\n"}
        wheel = make_wheel("demo", version, files, executable=["demo/run"])
        file = lock_wheels(tmp_path / version, wheel, python=PYTHON)
        env = build(ENV, nix.env, file=str(file), pythonPath=INTERPRETER)
        queried = ["nix-store", "--query", "--requisites", str(env)]
        paths = subprocess.run(queried, env=nix.env, capture_output=True, text=True, check=True).stdout.split()
        trees += [Path(path) for path in paths if path.endswith(f"-demo-{version}")]
    if way == "command":
        subprocess.run(["nix-store", "--optimise"], env=nix.env, capture_output=True, check=True)

    def inodes(name: str, content: str) -> tuple[int, set[int]]:
        copies = [tree / f"lib/python{PYTHON}/site-packages/demo" / name for tree in trees]
        assert len(copies) == 2
        assert not any(copy.is_symlink() for copy in copies)
        leaf = leaf_path(name, nix_sha256(content), str(nix.path))
        return Path(leaf).stat().st_ino, {copy.stat().st_ino for copy in copies}

    leaf, modules = inodes("__init__.py", MODULE)
    other, programs = inodes("run", PROGRAM)
    assert other not in programs
    assert (modules, len(programs)) == ({leaf}, 2 if way == "never" else 1)
