"""A host with an empty store, and an index with small wheels."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Cli
from tests.support.nix import NixInstallation
from tests.support.server import Behaviour, WheelServer
from tests.support.wheels import make_wheel

_SHARED = "shared = True\n" * 100


def _other_hash(row: tuple[str, str, str]) -> tuple[str, str, str]:
    """Return a row of RECORD, that of liar.py with the hash of something else."""
    return (row[0], f"sha256={'A' * 43}", row[2]) if row[0] == "liar.py" else row


WHEELS = (
    make_wheel("alpha", "1.0", {"alpha/__init__.py": "version = 1\n", "alpha/same.py": _SHARED}),
    make_wheel("alpha", "2.0", {"alpha/__init__.py": "version = 2\n", "alpha/same.py": _SHARED}),
    # What resolves itself is a copy in the tree, which does not name its leaf.
    make_wheel(
        "beta",
        "1.0",
        {"beta/__init__.py": "from pathlib import Path\nhere = Path(__file__).resolve().parent\n", "beta/x.txt": "x\n"},
        metadata=["Requires-Dist: alpha<2"],
        entry_points={"console_scripts": {"beta": "beta:here"}},
    ),
    make_wheel("gamma", "1.0", {"gamma/__init__.py": "", "gamma/data.bin": bytes(range(256)) * 400}),
    make_wheel("arm", "1.0", {"arm.py": "arm = 1\n"}, tag="py3-none-manylinux_2_17_aarch64"),
    make_wheel("windows", "1.0", {"windows.py": "x = 1\n"}, tag="py3-none-win_amd64"),
    # Its RECORD lies, which is found when it is fetched.
    make_wheel("liar", "1.0", {"liar.py": "x = 1\n"}, record=lambda rows: [_other_hash(row) for row in rows]),
)


@dataclass(kw_only=True)
class Host:
    """A machine whose operator warms its store.

    Attributes:
        cli: runs nixgen, in the operator's directory.
        nix: its store.
        index: serves wheels.
    """

    cli: Cli
    nix: NixInstallation
    index: WheelServer

    @property
    def directory(self) -> Path:
        """The operator's directory."""
        return self.cli.directory

    def warm(self, *arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Warm from the index."""
        return self.cli("warm", "--default-index", self.index.index, *arguments, code=code)

    def report(self, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
        """Warm, and return what is reported as JSON."""
        found: dict[str, Any] = json.loads(self.warm("--json", *arguments, code=code).stdout)
        return found

    def write(self, name: str, text: str) -> Path:
        """Write a list."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def record(self, link: str = "warm") -> dict[str, Any]:
        """Return what the root says."""
        found: dict[str, Any] = json.loads((self.directory / link).read_text())
        return found

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program of Nix's."""
        return subprocess.run(words, env=self.nix.env, capture_output=True, text=True, check=False)

    def collect(self) -> None:
        """Let Nix remove what nothing keeps."""
        assert self.run("nix-store", "--gc").returncode == 0

    def user(self, *requirements: str, name: str = "project") -> Cli:
        """Return the command line of another user, whose project is locked; he has no cache but what locking makes."""
        project = self.directory / name
        project.mkdir(exist_ok=True)
        (project / "requirements.in").write_text("".join(f"{one}\n" for one in requirements))
        cache = str(self.directory / f"cache-of-{name}")
        cli = replace(self.cli, directory=project, environment={**self.cli.environment, "XDG_CACHE_HOME": cache})
        cli("lock", "-q", "--default-index", self.index.index)
        self.index.requests.clear()
        return cli


@pytest.fixture(scope="module")
def index() -> Iterator[WheelServer]:
    """The index."""
    with WheelServer(dict(WHEELS)) as server:
        yield server


@pytest.fixture
def host(tmp_path: Path, index: WheelServer) -> Iterator[Host]:
    """A host with nothing on it."""
    made = host_at(tmp_path, index)
    yield made
    made.nix.make_removable()


def host_at(root: Path, index: WheelServer) -> Host:
    """Make a host."""
    index.behaviour = Behaviour()
    index.requests.clear()
    nix = NixInstallation.of_machine(root / "nix")
    for name in ("operator", "tmp"):
        (root / name).mkdir()
    environment = {
        **nix.env,
        "UV_HTTP_RETRIES": "0",
        "UV_CACHE_DIR": str(root / "uv"),
        "TMPDIR": str(root / "tmp"),
        "XDG_CACHE_HOME": str(root / "cache"),
        "NIXGEN_STATE_DIR": str(root / "state"),
    }
    return Host(cli=Cli(directory=root / "operator", environment=environment), nix=nix, index=index)
