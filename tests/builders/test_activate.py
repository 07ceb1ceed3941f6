"""``source bin/activate``, in the shells that are here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.builders.conftest import Workbench
from tests.support.wheels import make_wheel

SHELLS = [shell for shell in ("bash", "zsh") if shutil.which(shell)]

SCRIPT = """\
before=$PATH; PS1=prompt
. "$1"
command -v tool
python -c 'import sys; print(sys.prefix)'
echo "$VIRTUAL_ENV"
. "$1"
deactivate
[ "$PATH" = "$before" ] && echo path restored
[ -z "${VIRTUAL_ENV:-}" ] && echo variable gone
[ "$PS1" = prompt ] && echo prompt restored
command -v tool || echo tool gone
"""


@pytest.fixture
def env(workbench: Workbench) -> Path:
    """An environment with one command."""
    wheel = make_wheel(files={"demo.py": "def main(): pass\n"}, entry_points={"console_scripts": {"tool": "demo:main"}})
    return workbench.env(wheel)


def _source(shell: str, script: str, *arguments: str | Path, cwd: Path | None = None) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        [shell, "-c", script, "shell", *arguments], env=environment, cwd=cwd, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("shell", SHELLS)
def test_activate_and_deactivate(env: Path, tmp_path: Path, shell: str) -> None:
    """Activation through a link puts the link's bin first, and deactivation restores everything, also after two."""
    (tmp_path / "result").symlink_to(env)
    result = tmp_path / "result"
    assert _source(shell, SCRIPT, result / "bin" / "activate") == [
        str(result / "bin" / "tool"),
        str(result),
        str(result),
        "path restored",
        "variable gone",
        "prompt restored",
        "tool gone",
    ]


@pytest.mark.parametrize("shell", SHELLS)
def test_activate_by_a_relative_path(env: Path, shell: str) -> None:
    """A relative path does, and the environment stays active in another directory."""
    script = '. bin/activate; cd /; command -v tool; echo "$VIRTUAL_ENV"'
    assert _source(shell, script, cwd=env) == [str(env / "bin" / "tool"), str(env)]


def test_a_shell_that_knows_no_source_file_says_so(env: Path) -> None:
    """Where the shell cannot say which file it reads, the message tells, and nothing is changed."""
    done = subprocess.run(
        ["sh", "-c", f'before=$PATH; . {env}/bin/activate; [ "$PATH" = "$before" ] && echo same'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "same\n" and "activate" in done.stderr


def test_a_wheels_own_activate_stands(workbench: Workbench) -> None:
    """A wheel that brings a command of that name has it."""
    env = workbench.env(make_wheel(data={"scripts/activate": "#!/bin/sh\necho mine\n"}))
    assert subprocess.run([env / "bin" / "activate"], capture_output=True, text=True, check=True).stdout == "mine\n"
