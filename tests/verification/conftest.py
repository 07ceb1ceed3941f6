"""Environments to damage."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen.leaf import leaf_path
from tests.support.cli import Cli
from tests.support.locks import index_bytes
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

Serve = Callable[..., WheelServer]

DEMO = make_wheel(
    "demo",
    "1.0",
    {
        "demo/__init__.py": "def main():\n    print('demo')\n",
        "demo/other.py": "answer = 42\n",
        "demo/big.bin": os.urandom(3 << 20),
        "demo/data.txt": "data\n",
        "demo/empty.txt": "",
    },
    entry_points={"console_scripts": {"demo": "demo:main"}},
)
OTHER = make_wheel("other", "2.0", {"other/__init__.py": "", "other/data.txt": "data\n", "other/code.py": "x = 1\n"})


class Built:
    """A project that is built, in a store of its own.

    Attributes:
        cli: the command line in it.
        environment: the store path of the environment.
        server: serves its wheels.
    """

    def __init__(self, cli: Cli, server: WheelServer) -> None:
        self.cli = cli
        self.server = server
        (cli.directory / "requirements.in").write_text("demo\nother\n")
        cli("lock", "--default-index", server.index)
        cli("build")
        self.environment = (cli.directory / "result").readlink()

    @property
    def store(self) -> Path:
        """The store's directory."""
        return Path(self.cli.environment["NIX_STORE_DIR"])

    def tree(self, name: str = "demo-1.0") -> Path:
        """Return a tree by its name."""
        (found,) = (path for path in self.store.glob(f"*-{name}") if path.is_dir())
        return found

    def leaf(self, file: str) -> Path:
        """Return the leaf that a file of a tree below site-packages is a link to."""
        (found,) = self.tree().glob(f"lib/python*/site-packages/{file}")
        return found.readlink()

    def index(self) -> Path:
        """Return the leaf of the index of ``demo``."""
        return Path(leaf_path("index.json", hashlib.sha256(index_bytes(DEMO)).digest(), str(self.store)))

    def bytecode(self, name: str = "other") -> Path:
        """Return a module's bytecode in the tree of ``demo``."""
        (found,) = self.tree().glob(f"lib/python*/site-packages/demo/__pycache__/{name}.*.pyc")
        return found

    def forget(self, path: Path) -> None:
        """Delete a store path's row from Nix's database."""
        database = sqlite3.connect(Path(self.cli.environment["NIX_STATE_DIR"], "db", "db.sqlite"))
        with database:
            deleted = database.execute("delete from ValidPaths where path = ?", (str(path),)).rowcount
        database.close()
        assert deleted == 1


def environment_of(built: Built) -> dict[str, str]:
    """Return the variables of a program of Nix on the project's store."""
    return {**os.environ, **built.cli.environment}


@pytest.fixture
def built(empty_store: Cli, serve: Serve) -> Built:
    """Two packages, built."""
    return Built(empty_store, serve(DEMO, OTHER))


def alter(path: Path) -> None:
    """Change a byte of a file."""
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    path.chmod(0o444)


def truncate(path: Path) -> None:
    """Cut a file in half."""
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    path.chmod(0o444)


def delete(path: Path) -> None:
    """Delete a file, of a directory that may not be written to."""
    mode = path.parent.stat().st_mode
    path.parent.chmod(0o755)
    path.unlink()
    path.parent.chmod(mode)


def relink(path: Path, target: str) -> None:
    """Let a link lead elsewhere."""
    delete(path)
    mode = path.parent.stat().st_mode
    path.parent.chmod(0o755)
    path.symlink_to(target)
    path.parent.chmod(mode)
