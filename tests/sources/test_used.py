"""Wheels that were built are as good as any: in images, modules and every ingest, vendored, verified and repaired."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from nixgen.targets import default_python
from tests.sources.test_sources import Serve, lock, package, version_of, with_store, write_files
from tests.support.cli import Cli, listing
from tests.support.modules import NIXMODULES
from tests.support.nix import NixInstallation
from tests.support.server import Behaviour, WheelServer
from tests.support.sources import make_source, source_files
from tests.support.wheels import make_wheel
from tests.verification.conftest import alter, delete

pytestmark = pytest.mark.nix

#: Git fetches submodules from directories only where that is said.
_GIT = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always"}


@dataclass(frozen=True, kw_only=True)
class Locked:
    """A project with one package that was built and one that was not."""

    cli: Cli
    index: str

    def nix_build(self, *arguments: str | Path) -> str:
        """Build with stock Nix, and return the store path."""
        done = subprocess.run(
            ["nix-build", "--no-out-link", *arguments],
            cwd=self.cli.directory,
            env={**os.environ, **self.cli.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    """That project, with a store of its own."""
    root = tmp_path_factory.mktemp("used")
    for name in ("project", "tmp"):
        (root / name).mkdir()
    nix = NixInstallation.of_machine(root / "nix")
    variables = {"UV_CACHE_DIR": root / "uv", "XDG_CACHE_HOME": root / "cache", "TMPDIR": root / "tmp"}
    cli = Cli(directory=root / "project", environment={name: str(path) for name, path in variables.items()})
    wheels = dict(
        [
            make_source("made", more="files['made/data.txt'] = 'data'"),
            make_wheel("plain", "1.0", {"plain/__init__.py": "version = '1.0'\n"}),
        ]
    )
    with ExitStack() as stack:
        server = stack.enter_context(WheelServer(wheels, Behaviour()))
        made = with_store(cli, nix)
        lock(made, server, "made", "plain")
        yield Locked(cli=made, index=server.index)
    nix.make_removable()


def test_every_ingest_gives_the_same(locked: Locked) -> None:
    """What was built is in an environment of each ingest: of its leaves, or of a derivation for each file."""
    path = locked.cli("build", "--no-out-link").stdout.strip()
    assert version_of(path, "made") == "1.0"
    assert locked.nix_build("nix", "--argstr", "ingest", "wheels") == path
    assert version_of(locked.nix_build("nix", "--argstr", "ingest", "fixed"), "made") == "1.0"


def test_an_altered_leaf_is_built_again(locked: Locked) -> None:
    """``verify --repair`` gets the file of a built wheel back by building, whether it was altered or is gone."""
    path = Path(locked.cli("build", "--no-out-link").stdout.strip())
    leaf = next(path.glob("lib/python*/site-packages/made/data.txt")).resolve()
    for spoil in (alter, delete):
        spoil(leaf)
        assert "made 1.0: made/data.txt" in locked.cli("verify", code=5).stdout
        assert f"leaf {leaf}" in locked.cli("verify", "--repair").stderr
        assert leaf.read_text() == "data"


def test_vendored(locked: Locked) -> None:
    """``lock --vendor`` has the index of each wheel, built or not, and stock Nix builds the same of them."""
    before = locked.cli("build", "--no-out-link").stdout.strip()
    locked.cli("lock", "--vendor", "--default-index", locked.index)
    names = {path.name for path in (locked.cli.directory / "nix" / "index").iterdir()}
    assert names == {f"{name}-1.0-py3-none-any.whl.json" for name in ("made", "plain")}
    assert locked.nix_build("nix") == before


def test_an_image_and_a_module(locked: Locked, nixpkgs: Path) -> None:
    """An image holds what was built; a module of it becomes JSON without a build while evaluating."""
    python = locked.nix_build(nixpkgs, "-A", "python3") + f"/bin/python{default_python()}"
    image = locked.cli("image", "--python", python, "--", "python", "-c", "import made").stdout.strip()
    assert Path(image).stat().st_size > 1000
    locked.cli("module", "--id", "used")
    locked.cli("fetch")
    configuration = locked.cli.directory / "nix" / "module.nix"
    module = locked.nix_build(
        *(NIXMODULES / "pkgs" / "moduleit" / "entrypoint.nix", "--arg", "pkgs", f"import {nixpkgs} {{ }}"),
        *("--option", "allow-import-from-derivation", "false", "--argstr", "configPath", configuration),
    )
    assert json.loads(Path(module).read_text())["id"].startswith("used")


def test_packages_of_nixpkgs(nixgen: Cli, serve: Serve, nix_store: NixInstallation, nixpkgs: Path) -> None:
    """With nixpkgs, a build has the programs of its compiler and of ``packages``, and none of the machine."""
    more = "import shutil\nfiles['told/seen.py'] = repr([shutil.which(name) for name in ('bash', 'env', 'ls')])"
    cli = with_store(nixgen, nix_store)
    (cli.directory / "pyproject.toml").write_text('[tool.nixgen.build.told]\npackages = ["bash"]\naccept = true\n')
    lock(cli, serve(make_source("told", more=more)), "told")
    expression = (
        '{ nixpkgs, project }: let pkgs = import nixpkgs { }; nixgen = import (project + "/nix/nixgen"); in '
        'nixgen.env { lock = nixgen.readLock (project + "/nixgen.lock"); system = builtins.currentSystem; '
        "python = pkgs.python3; tools = pkgs; }"
    )
    built = Locked(cli=cli, index="")
    arguments = ("--arg", "nixpkgs", str(nixpkgs), "--arg", "project", str(cli.directory))
    path = Path(built.nix_build("-E", expression, *arguments))
    seen = next(path.glob("lib/python*/site-packages/told/seen.py")).read_text()
    store = nix_store.env["NIX_STORE_DIR"]
    assert f"'{store}/" in seen and "-bash/bin/bash', None, None]" in seen
    (cli.directory / "pyproject.toml").write_text(
        '[tool.nixgen.build.told]\npackages = ["no-such-thing"]\naccept = true\n'
    )
    lock(cli, serve(make_source("told", more=more)), "told")
    done = subprocess.run(
        ["nix-build", "--no-out-link", "-E", expression, *arguments],
        env={**os.environ, **cli.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode and "nixpkgs has no no-such-thing" in done.stderr


def test_submodules(nixgen: Cli, serve: Serve, nix_store: NixInstallation, tmp_path: Path) -> None:
    """What a repository has in submodules is there when it is built, and counts for the hash of its files."""
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    write_files(inner, {"__init__.py": "said = 'inside'\n"})
    write_files(outer, source_files("outer"))
    git(inner, ["init", "-q"], ["add", "."], ["commit", "-qm", "one"])
    git(outer, ["init", "-q"], ["submodule", "--quiet", "add", inner.as_uri(), "src/outer/inner"])
    git(outer, ["add", "."], ["commit", "-qm", "one"])
    cli = with_store(nixgen, nix_store)
    cli = replace(cli, environment={**cli.environment, **_GIT})
    lock(cli, serve(make_wheel("unused")), f"outer @ git+{outer.as_uri()}")
    path = cli("build", "--no-out-link").stdout.strip()
    assert "inside" in next(Path(path).glob("lib/python*/site-packages/outer/inner/__init__.py")).read_text()
    before = package(cli, "outer")["source"]
    write_files(inner, {"__init__.py": "said = 'other'\n"})
    git(inner, ["commit", "-qam", "two"])
    git(outer, ["submodule", "--quiet", "update", "--remote"], ["commit", "-qam", "two"])
    lock(cli, serve(make_wheel("unused")), f"outer @ git+{outer.as_uri()}", options=("--upgrade",))
    after = package(cli, "outer")["source"]
    assert isinstance(before, dict) and isinstance(after, dict) and before["sha256"] != after["sha256"]


def git(directory: Path, *calls: Sequence[str]) -> None:
    """Run git some times, as nobody in particular."""
    who = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "protocol.file.allow=always"]
    for arguments in calls:
        subprocess.run([*who, *arguments], cwd=directory, capture_output=True, check=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(
    nixgen: Cli, serve: Serve, nix_store: NixInstallation, tmp_path: Path, number: signal.Signals
) -> None:
    """A build that is given up leaves the lock of before, ends what runs, and leaves nothing temporary."""
    cli = with_store(nixgen, nix_store)
    lock(cli, serve(make_source("first")), "first")
    before = listing(cli.directory)
    marker = tmp_path / "building"
    more = f"import time\nPath({str(marker)!r}).write_text(str(os.getpid()))\ntime.sleep(120)"
    server = serve(make_source("first"), make_source("slow", more=more))
    (cli.directory / "more.in").write_text("first\nslow\n")
    process = cli.start("lock", "more.in", "--default-index", server.index)
    _wait(marker.exists)
    builder = int(marker.read_text() or 0)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode in (130, 143, -number)
    after = listing(cli.directory)
    after.pop("more.in")
    assert after == before and not list((tmp_path / "tmp").iterdir())
    _wait(lambda: not Path(f"/proc/{builder}").exists())


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)
