"""Two wheels, an environment of them, and a cache that it was pushed to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.caches import Machine, make_key
from tests.support.cli import Cli
from tests.support.nix import NixInstallation
from tests.support.server import Behaviour, WheelServer
from tests.support.wheels import make_wheel

#: With a command, and with a program that is a store path of its own.
WHEELS = (
    make_wheel(
        "demo",
        "1.0",
        {"demo/__init__.py": "def main():\n    print('demo')\n", "demo/data.txt": "data\n" * 1000},
        entry_points={"console_scripts": {"demo": "demo:main"}},
    ),
    make_wheel("other", "2.0", {f"other/module_{number}.py": f"x = {number}\n" for number in range(20)}),
)


@pytest.fixture(scope="session")
def index() -> Iterator[WheelServer]:
    """The server that the lock was made with; each test finds it well."""
    with WheelServer(dict(WHEELS)) as server:
        yield server


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, index: WheelServer) -> Iterator[Machine]:
    """The machine that has built and pushed."""
    root = tmp_path_factory.mktemp("caches")
    machine = machine_at(root, NixInstallation.of_machine(root / "nix"))
    (machine.cli.directory / "requirements.in").write_text("demo\nother\n")
    machine.cli("lock", "--default-index", index.index)
    machine.cli("push", machine.cache, "--sign-key", machine.secret)
    yield machine
    machine.nix.make_removable()


def machine_at(root: Path, nix: NixInstallation) -> Machine:
    """Make a machine with nothing on it but a key."""
    for name in ("project", "tmp"):
        (root / name).mkdir()
    secret, public = make_key(root, nix.env)
    environment = {**nix.env, "UV_HTTP_RETRIES": "0", "UV_CACHE_DIR": str(root / "uv"), "TMPDIR": str(root / "tmp")}
    cli = Cli(directory=root / "project", environment={**environment, "XDG_CACHE_HOME": str(root / "user")})
    return Machine(cli=cli, nix=nix, cache=root / "cache", secret=secret, public=public)


@pytest.fixture
def machine(made: Machine, index: WheelServer) -> Machine:
    """The same after it has lost its store and caches."""
    made.forget()
    index.behaviour = Behaviour()
    index.requests.clear()
    return made


@pytest.fixture
def away(index: WheelServer) -> None:
    """The index does not have the wheels any more."""
    index.behaviour = Behaviour(failures=1_000_000, failure="404")
