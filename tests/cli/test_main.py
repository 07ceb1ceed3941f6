"""What every verb shares: help, versions, and how errors reach a user."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import nixgen as package
from tests.support.cli import Cli

VERBS = ("lock", "build", "run", "shell", "venv", "fsck", "fetch", "show", "verify", "image", "adopt", "init", "module")


def test_help_names_every_verb(nixgen: Cli) -> None:
    """``--help`` lists the verbs with what they do, and the exit codes."""
    said = nixgen("--help").stdout
    assert all(f"\n    {verb} " in said for verb in VERBS)
    assert "5 verification" in said


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(nixgen: Cli, verb: str) -> None:
    """Each verb's help says more than its usage."""
    said = nixgen(verb, "--help").stdout
    assert said.startswith(f"usage: nixgen {verb}")
    assert len(said.splitlines()) > 8


def test_help_imports_nothing_heavy() -> None:
    """Help is there at once: no HTTP client, no progress display, no templates are imported for it."""
    code = (
        "import sys\nfrom nixgen.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(*sorted({'httpx', 'rich', 'jinja2', 'packaging', 'uv'} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""


def test_version(nixgen: Cli) -> None:
    """``--version`` is the package's."""
    assert nixgen("--version").stdout == f"nixgen {package.__version__}\n"


def test_unknown_verb_is_a_usage_error(nixgen: Cli) -> None:
    """A verb that is none ends with code 2 and the list of verbs."""
    assert "lock" in nixgen("lokc", code=2).stderr


def test_debug_shows_the_traceback(nixgen: Cli) -> None:
    """--debug shows where an error came from; without it there is none."""
    assert "Traceback" not in nixgen("lock", code=3).stderr
    assert "Traceback" in nixgen("lock", "--debug", code=3).stderr


def test_missing_directory(nixgen: Cli, tmp_path: Path) -> None:
    """A project directory that does not exist is named."""
    assert "nowhere" in nixgen("lock", "-C", tmp_path / "nowhere", code=2).stderr


def test_init_writes_a_flake_once(nixgen: Cli, project: Path) -> None:
    """``init`` writes flake.nix with nixpkgs as its only input, and refuses to replace one."""
    nixgen("init")
    flake = (project / "flake.nix").read_text()
    assert flake.count("inputs.") == 1 and "inputs.nixpkgs" in flake
    assert "already" in nixgen("init", code=3).stderr
    assert (project / "flake.nix").read_text() == flake
