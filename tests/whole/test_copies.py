"""Copies in real stores: one file with their leaves, which Nix counts, verifies and collects as it does any other."""

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
from tests.whole.conftest import SUITES, nix_of

pytestmark = pytest.mark.nix

ENV = """
nixgen.env { lock = nixgen.readLock (/. + file); system = builtins.currentSystem; python = pythonPath; }
"""

#: A module that resolves itself is a copy.
MODULE = "import os\nhere = os.path.realpath(__file__)\n" + "# more\n" * 1000


@pytest.fixture(scope="module", params=["distribution", *SUITES])
def nix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NixInstallation]:
    """Each version of Nix, with a store of its own."""
    made = nix_of(request.param, tmp_path_factory.mktemp(f"copies-{request.param}"))
    yield made
    made.make_removable()


def _run(nix: NixInstallation, *command: str) -> str:
    done = subprocess.run(command, env=nix.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_machine_holds_the_bytes_of_a_copy_once(nix: NixInstallation, tmp_path: Path) -> None:
    """A copy is its leaf's file with one more name, and sound to Nix. A collection keeps the leaf with the tree's
    derivation, by default; else it leaves the bytes to the copy. Each of both can go without the other."""
    file = lock_wheels(tmp_path / "lock", make_wheel("demo", "1.0", {"demo/me.py": MODULE}), python=PYTHON)
    leaf = Path(leaf_path("me.py", nix_sha256(MODULE), str(nix.path)))
    env = build(ENV, nix.env, file=str(file), pythonPath=INTERPRETER)
    copy = env / f"lib/python{PYTHON}/site-packages/demo/me.py"
    tree = "/".join(copy.resolve().parts[: len(nix.path.parts) + 1])[1:]
    root = ["nix-store", "--add-root", str(tmp_path / "root"), "--indirect", "--realise"]
    _run(nix, *root, str(env))
    assert copy.samefile(leaf)
    assert not copy.is_symlink()
    recorded = _run(nix, "nix-store", "--query", "--hash", tree)
    _run(nix, "nix-store", "--verify", "--check-contents")

    _run(nix, "nix-store", "--gc")
    assert copy.samefile(leaf)
    _run(nix, "nix-store", "--gc", "--option", "keep-derivations", "false")
    assert not leaf.exists()
    assert (copy.read_text(), copy.stat().st_nlink) == (MODULE, 1)
    _run(nix, "nix-store", "--verify", "--check-contents")

    (tmp_path / "root").unlink()
    _run(nix, "nix-store", "--gc")
    build(ENV, nix.env, file=str(file), pythonPath=INTERPRETER)
    assert copy.samefile(leaf)
    assert _run(nix, "nix-store", "--query", "--hash", tree) == recorded
    _run(nix, *root, str(leaf))
    _run(nix, "nix-store", "--gc")
    assert not copy.exists()
    assert (leaf.read_text(), leaf.stat().st_nlink, leaf.stat().st_mode & 0o777) == (MODULE, 1, 0o444)
    _run(nix, "nix-store", "--verify", "--check-contents")
