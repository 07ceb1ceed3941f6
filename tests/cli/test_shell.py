"""``nixgen shell``, with the shells themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.nix import NixInstallation
from tests.support.programs import program
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

DEMO = make_wheel(
    "demo",
    files={"demo/__init__.py": "def main():\n    print('demo runs')\n"},
    entry_points={"console_scripts": {"demo": "demo:main"}},
)

#: Settings of a user who puts a directory first on PATH, has a prompt, and breaks Python.
BASH = 'PATH=$HOME/own:$PATH\nexport PYTHONHOME=/nowhere\nPS1="mine> "\n'
FISH = "set -gx PATH $HOME/own $PATH\nset -gx PYTHONHOME /nowhere\nfunction fish_prompt; echo 'mine> '; end\n"

ASK = """\
command -v demo
demo
echo "env $VIRTUAL_ENV $UV_PROJECT_ENVIRONMENT $UV_NO_SYNC $UV_PYTHON_DOWNLOADS $UV_PYTHON_PREFERENCE"
echo "prompt $PS1"
deactivate
echo "python home $PYTHONHOME"
echo "path $PATH"
exit 3
"""
ASK_FISH = ASK.replace('"prompt $PS1"', "prompt (fish_prompt)").replace('"path $PATH"', "path (string join : $PATH)")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, nix_store: NixInstallation) -> Iterator[Cli]:
    """A project that is locked once."""
    directory = tmp_path_factory.mktemp("shell") / "a project"
    directory.mkdir()
    (directory / "requirements.in").write_text("demo\n")
    kept = {name: value for name, value in nix_store.env.items() if os.environ.get(name) != value}
    cli = Cli(directory=directory, environment={**kept, "UV_CACHE_DIR": str(directory.parent / "uv")})
    with WheelServer(dict([DEMO])) as server:
        cli("lock", "--default-index", server.index)
        cli("build")
    yield cli


@pytest.fixture
def project(shared: Cli, tmp_path: Path) -> Cli:
    """The project, and a user with settings for every shell."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "demo").write_text("#!/bin/sh\necho the wrong one\n")
    (tmp_path / "own" / "demo").chmod(0o755)
    (tmp_path / ".config/fish").mkdir(parents=True)
    (tmp_path / ".config/fish/config.fish").write_text(FISH)
    (tmp_path / "zsh").mkdir()
    (tmp_path / ".zshenv").write_text("ZDOTDIR=$HOME/zsh\n")
    for path in (tmp_path / ".bashrc", tmp_path / "zsh/.zshrc"):
        path.write_text(BASH)
    hidden = {name: "" for name in ("VIRTUAL_ENV", "BASH_ENV", "ENV", "ZDOTDIR") if name in os.environ}
    environment = {**shared.environment, **hidden, "HOME": str(tmp_path), "TERM": "dumb"}
    return replace(shared, environment=environment)


def said(project: Cli, *arguments: str, typed: str, code: int = 3) -> list[str]:
    """Start a shell, type into it, and return the lines it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "ZDOTDIR"))}
    done = subprocess.run(
        [*project.program, "shell", *arguments],
        cwd=project.directory,
        env={**environment, **project.environment},
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("shell", "package", "typed"), [("bash", "", ASK), ("zsh", "zsh-static", ASK), ("fish", "", ASK_FISH)]
)
def test_a_shell_in_the_environment(project: Cli, tmp_path: Path, shell: str, package: str, typed: str) -> None:
    """After the user's own settings the environment is first on PATH and in the prompt; leaving restores these."""
    link = project.directory / "result"
    lines = said(project, "--shell", program(shell, package or None), typed=typed)
    assert lines[-6:-1] == [
        f"{link}/bin/demo",
        "demo runs",
        f"env {link} {link} 1 never only-system",
        "prompt (result) mine> ",
        "python home /nowhere",
    ]
    assert lines[-1].startswith(f"path {tmp_path}/own:")
    assert str(link) not in lines[-1]


def test_the_users_own_shell_is_taken(project: Cli) -> None:
    """$SHELL is the shell; one that reads no settings of nixgen's gets the variables."""
    project.environment["SHELL"] = "/bin/sh"
    lines = said(project, typed='command -v demo; echo "$VIRTUAL_ENV"; exit 3\n')
    link = project.directory / "result"
    assert lines[-2:] == [f"{link}/bin/demo", str(link)]


def test_a_command(project: Cli) -> None:
    """A command runs in place of a shell, and its exit code is that of nixgen."""
    assert said(project, "--", "demo", typed="", code=0) == ["demo runs"]
    assert said(project, "--", "sh", "-c", 'echo "$UV_NO_SYNC $1"; exit 5', "sh", "a b", typed="", code=5) == ["1 a b"]


def test_a_shell_that_is_not_there(project: Cli) -> None:
    """A shell of an unknown name is an error that says what to do, before anything is built."""
    assert "--shell bash" in project("shell", "--shell", "nosuchshell", code=2).stderr


def test_uv_leaves_the_environment_alone(project: Cli, serve: Callable[..., WheelServer]) -> None:
    """In the shell uv runs the environment's Python, and neither that nor ``uv add`` changes a byte of it."""
    (project.directory / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n'
    )
    uv = str(Path(sys.executable).with_name("uv"))
    code = "import demo, sys; demo.main(); print(sys.prefix)"
    index = serve(DEMO).index
    command = f"{uv} run --offline python -c '{code}' && {uv} add --default-index {index} demo"
    lines = said(project, "--", "sh", "-c", command, typed="", code=0)
    assert lines == ["demo runs", str(project.directory / "result")]
    assert not (project.directory / ".venv").exists()
    made = (project.directory / "result").resolve()
    subprocess.run(["nix-store", "--verify-path", made], env={**os.environ, **project.environment}, check=True)
