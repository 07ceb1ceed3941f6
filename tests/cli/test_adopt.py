"""``nixgen adopt``, with a real Nix and environments of real tools."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.environments import (
    install,
    make_environment,
    pip,
    run,
    site_packages,
    snapshot,
    uninstall,
)
from tests.support.nix import NixInstallation
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix


@pytest.fixture
def in_store(nixgen: Cli, nix_store: NixInstallation) -> Cli:
    """The command line with a store of the tests' own."""
    kept = {name: value for name, value in nix_store.env.items() if os.environ.get(name) != value}
    return replace(nixgen, environment={**nixgen.environment, **kept})


@pytest.fixture
def demo(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """A wheel whose files no other test has."""
    return many(request.node.name, 1)


def many(mark: str, modules: int) -> tuple[str, bytes]:
    files = {f"demo/module{number}.py": f"mark = {mark!r}, {number}\n" for number in range(modules)}
    return make_wheel("demo", files={"demo/__init__.py": "", **files}, metadata=[f"Summary: {mark}"])


def test_links_and_undoes(in_store: Cli, project: Path, demo: tuple[str, bytes]) -> None:
    """The report says what was linked, added and saved, and what stays; ``--undo`` gives the same files again."""
    make_environment(project / ".venv", demo)
    make_environment(project / "other", demo)
    before = snapshot(project / "other")
    first = in_store("adopt", ".venv").stdout
    assert first.startswith("linked ") and "stay, not in the store: " in first
    assert "to the store" in in_store("adopt", ".venv", "--add").stdout
    assert "linked 3 of 3 files, " in (said := in_store("adopt", "other").stdout) and " saved\n" in said
    assert "linked 0 of 3 files, 0 B saved\n3 were links already\n" in in_store("adopt", "other").stdout
    assert (site_packages(project / "other") / "demo/module0.py").is_symlink()
    assert in_store("adopt", "other", "--undo", "--quiet").stdout == ""
    assert snapshot(project / "other") == before
    assert in_store("adopt", ".venv", "--undo").stdout.startswith("restored 3 files (")


def test_dry_run_changes_nothing(in_store: Cli, project: Path, demo: tuple[str, bytes]) -> None:
    """``--dry-run`` says the same as the run, and leaves environment and store as they are."""
    make_environment(project / ".venv", demo)
    in_store("adopt", ".venv")  # Nix makes its store
    before = snapshot(project), snapshot(Path(in_store.environment["NIX_STORE_DIR"]))
    dry = in_store("adopt", ".venv", "--add", "--dry-run").stdout
    assert (snapshot(project), snapshot(Path(in_store.environment["NIX_STORE_DIR"]))) == before
    assert dry.replace("would have ", "") == in_store("adopt", ".venv", "--add").stdout
    before = snapshot(project), {}
    dry = in_store("adopt", ".venv", "--undo", "--dry-run").stdout
    assert snapshot(project) == before[0]
    assert dry.replace("would have ", "") == in_store("adopt", ".venv", "--undo").stdout


def test_json(in_store: Cli, project: Path, demo: tuple[str, bytes]) -> None:
    """``--json`` prints the sums."""
    make_environment(project / ".venv", demo)
    (site_packages(project / ".venv") / "demo/module0.py").write_text("edited = True\n")
    said = json.loads(in_store("adopt", ".venv", "--add", "--json").stdout)
    assert said["stays"] == {"edited": {"files": 1, "size": 14}}
    assert (said["files"], said["before"], said["broken"]) == (3, 0, [])
    assert said["saved"] == said["linked"]["size"] - said["added"]["size"]
    assert said["linked"]["files"] == 2 and said["added"]["files"] <= 2 and said["shared"]["files"] == 0
    assert json.loads(in_store("adopt", ".venv", "--undo", "--json").stdout)["restored"] == said["linked"]


@pytest.fixture
def ordinary(in_store: Cli) -> Cli:
    """The command line with no more rights than the owner of its files has."""
    if os.geteuid() != 0:
        return in_store
    return replace(in_store, program=("setpriv", "--inh-caps=-all", "--bounding-set=-all", *in_store.program))


def test_a_file_that_cannot_be_read(ordinary: Cli, project: Path, demo: tuple[str, bytes]) -> None:
    """A file without the right to read stays, and the others become links."""
    make_environment(project / ".venv", demo)
    (site_packages(project / ".venv") / "demo/module0.py").chmod(0)
    said = json.loads(ordinary("adopt", ".venv", "--add", "--json").stdout)
    assert said["stays"] == {"not readable": {"files": 1, "size": said["stays"]["not readable"]["size"]}}
    assert said["linked"]["files"] == 2


def test_a_directory_that_cannot_be_written(ordinary: Cli, project: Path, demo: tuple[str, bytes]) -> None:
    """A single directory without the right to write stops an adoption before it begins, and the error names it."""
    make_environment(project / ".venv", demo)
    (directory := site_packages(project / ".venv") / "demo").chmod(0o555)
    before = snapshot(project)
    said = ordinary("adopt", ".venv", "--add", code=7).stderr
    assert "cannot write to a directory" in said and str(directory.relative_to(project)) in said
    assert snapshot(project) == before


def test_what_the_project_says_of_placement(in_store: Cli, project: Path, demo: tuple[str, bytes]) -> None:
    """``[tool.nixgen.placement]`` of the project's pyproject.toml counts."""
    make_environment(project / ".venv", demo)
    (project / "pyproject.toml").write_text("[tool.nixgen.placement.demo]\nsolid = true\n")
    said = json.loads(in_store("adopt", ".venv", "--add", "--json").stdout)
    assert said["linked"]["files"] == 0 and said["stays"]["override"]["files"] == 3


@pytest.mark.parametrize(
    ("verb", "number"), [("adopt", signal.SIGKILL), ("adopt", signal.SIGTERM), ("undo", signal.SIGKILL)]
)
def test_stopped_in_the_middle(
    verb: str, number: signal.Signals, in_store: Cli, project: Path, request: pytest.FixtureRequest
) -> None:
    """Stopped while it replaces files, by force or not, the environment works, and undo makes it what it was."""
    modules = 600
    directory = make_environment(project / ".venv", many(request.node.name, modules))
    before = snapshot(directory)
    add = ["adopt", ".venv", "--add"]
    undo = ["adopt", ".venv", "--undo"]
    if verb == "undo":
        in_store(*add)
    files = [site_packages(directory) / f"demo/module{number}.py" for number in range(modules)]
    linked = [file.is_symlink() for file in files]
    process = in_store.start(*(add if verb == "adopt" else undo))
    deadline = time.monotonic() + 60
    while [file.is_symlink() for file in files] == linked:
        assert time.monotonic() < deadline and process.poll() is None
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == (128 + number if number == signal.SIGTERM else -number)
    assert ("the environment works as it is" in said) == (number == signal.SIGTERM)
    assert 0 < sum(file.is_symlink() for file in files) < modules
    names = ", ".join(f"demo.module{number}" for number in range(0, modules, 50))
    run(directory / "bin/python", "-B", "-c", f"import {names}")
    in_store(*undo)
    assert snapshot(directory) == before


def test_errors(in_store: Cli, project: Path, demo: tuple[str, bytes]) -> None:
    """No environment, an empty one, options that contradict each other, and no Nix: each says what to do."""
    assert "no pyvenv.cfg" in in_store("adopt", "nowhere", code=3).stderr
    make_environment(project / ".venv")
    assert "nothing is installed" in in_store("adopt", ".venv", code=3).stderr
    install(project / ".venv", demo)
    before = snapshot(project)
    assert "--add" in in_store("adopt", ".venv", "--add", "--undo", code=2).stderr
    assert "nothing was adopted" in in_store("adopt", ".venv", "--undo", code=3).stderr
    assert "nix-bin" in in_store("adopt", ".venv", code=6, environment={"PATH": "/nonexistent"}).stderr
    unusable = {"NIX_STATE_DIR": "/dev/null/var"}
    assert "what to do" in in_store("adopt", ".venv", "--add", code=6, environment=unusable).stderr
    assert snapshot(project) == before
    assert not (project / ".venv/.nixgen").exists()


def test_a_full_disk(in_store: Cli, project: Path, request: pytest.FixtureRequest) -> None:
    """Where a file cannot be written whole, ``--undo`` says so, its link stays, and a later one goes on."""
    large = make_wheel("demo", files={"demo/large.txt": f"{request.node.name}\n" * 10_000})
    directory = make_environment(project / ".venv", large)
    before = snapshot(directory)
    in_store("adopt", ".venv", "--add")
    limited = replace(in_store, program=("sh", "-c", 'ulimit -f 50; exec "$@"', "sh", *in_store.program))
    said = limited("adopt", ".venv", "--undo", code=7).stderr
    assert "stopped, since a file cannot be written" in said and "what to do" in said
    assert (site_packages(directory) / "demo/large.txt").is_symlink()
    in_store("adopt", ".venv", "--undo")
    assert snapshot(directory) == before


def test_undo_needs_no_nix(in_store: Cli, project: Path, demo: tuple[str, bytes]) -> None:
    """Where Nix is gone and the store is there, files come back."""
    directory = make_environment(project / ".venv", demo)
    before = snapshot(directory)
    in_store("adopt", ".venv", "--add")
    in_store("adopt", ".venv", "--undo", environment={"PATH": "/nonexistent"})
    assert snapshot(directory) == before


def test_an_environment_of_the_store(in_store: Cli, project: Path, demo: tuple[str, bytes]) -> None:
    """What Nix built is refused: it lies in the store."""
    make_environment(project / "made", demo)
    command = ["nix-store", "--add", "made"]
    environment = {**os.environ, **in_store.environment}
    path = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=True).stdout
    assert "lies in the store" in in_store("adopt", path.strip(), "--add", code=3).stderr


@pytest.mark.registry
def test_numpy(in_store: Cli, project: Path) -> None:
    """numpy from PyPI computes from links, in a second environment that needs nothing added, until pip removes it."""
    make_environment(project / "one")
    run(*pip(project / "one"), "install", "--quiet", "--only-binary", "numpy", "numpy")
    run("cp", "-a", project / "one", project / "two")
    added = json.loads(in_store("adopt", "one", "--add", "--json").stdout)
    assert added["linked"]["files"] > 700 and added["added"]["files"] > 700
    second = json.loads(in_store("adopt", "two", "--json").stdout)
    assert second["linked"] == added["linked"] and second["saved"] == second["linked"]["size"] > 10_000_000
    code = "import numpy as np; print(np.linalg.inv(np.eye(3) * 2).trace(), np.fft.fft([1, 1])[0].real)"
    before = snapshot(Path(in_store.environment["NIX_STORE_DIR"]))
    assert run(project / "two/bin/python", "-c", code).split() == ["1.5", "2.0"]
    run(*pip(project / "two"), "check")
    uninstall(project / "two", "numpy", tool="pip")
    assert not list(site_packages(project / "two").glob("numpy*"))
    assert snapshot(Path(in_store.environment["NIX_STORE_DIR"])) == before
    assert run(project / "one/bin/python", "-c", code).split() == ["1.5", "2.0"]
