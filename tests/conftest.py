"""Fixtures that many tests share."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.support.cli import Cli
from tests.support.flakes import flake_of_checkout
from tests.support.nix import NixInstallation
from tests.support.nixpkgs import write_nixpkgs
from tests.support.server import Behaviour, WheelServer

# A shell starts what runs in its background deaf to interrupts, and so would be every command of these tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


#: Files whose tests share what takes a minute to make, and so a worker.
_TOGETHER = {"tests/whole/test_example.py": "tests/whole/test_like_pip.py"}


class Files(LoadFileScheduling):
    """Give a worker one file after the other, and those that belong together at once."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return _TOGETHER.get(file, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Take the scheduler above for ``script/test``; any other is xdist's own."""
    return Files(config, log) if config.getoption("dist") == "loadfile" else None


#: What takes longest comes first, so that the workers of a run in parallel end together.
_LONG = ("tests/whole", "tests/corpus", "tests/test_docs.py", "tests/benchmarks", "tests/campaign")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests for ``script/test``."""

    def rank(item: pytest.Item) -> int:
        file = item.nodeid.partition("::")[0]
        return next((number for number, prefix in enumerate(_LONG) if file.startswith(prefix)), len(_LONG))

    items.sort(key=rank)


@pytest.fixture(scope="session")
def nix_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NixInstallation]:
    """Give the machine's Nix a store of its own that lasts as long as the tests."""
    nix = NixInstallation.of_machine(tmp_path_factory.mktemp("nix"))
    yield nix
    nix.make_removable()


@pytest.fixture(scope="module")
def nixpkgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in for nixpkgs."""
    return write_nixpkgs(tmp_path_factory.mktemp("nixpkgs") / "nixpkgs")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, nix_store: NixInstallation, nixpkgs: Path) -> Path:
    """This repository as a flake, with that stand-in."""
    return flake_of_checkout(tmp_path_factory.mktemp("checkout") / "nixgen", nix_store, nixpkgs)


@pytest.fixture
def serve() -> Iterator[Callable[..., WheelServer]]:
    """Start servers of wheels, ``serve(*wheels, **behaviour)``, that stop when the test ends."""
    with ExitStack() as stack:

        def start(*wheels: tuple[str, bytes], **behaviour: object) -> WheelServer:
            server = WheelServer(dict(wheels), Behaviour(**behaviour))  # type: ignore[arg-type]
            return stack.enter_context(server)

        yield start


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty directory."""
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


@pytest.fixture
def nixgen(project: Path, tmp_path: Path) -> Cli:
    """The command line in the project, with a cache and a temporary directory of its own."""
    (tmp_path / "tmp").mkdir()
    return Cli(
        directory=project,
        environment={
            "UV_CACHE_DIR": str(tmp_path / "uv-cache"),
            "UV_HTTP_RETRIES": "0",
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "TMPDIR": str(tmp_path / "tmp"),
        },
    )


@pytest.fixture
def empty_store(nixgen: Cli, tmp_path: Path) -> Iterator[Cli]:
    """The command line with an empty store of its own."""
    installation = NixInstallation.of_machine(tmp_path / "nix")
    yield replace(nixgen, environment={**nixgen.environment, **installation.env})
    installation.make_removable()
