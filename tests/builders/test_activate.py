"""``source bin/activate``, in the shells that are here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.builders.conftest import Workbench
from tests.support.programs import program
from tests.support.wheels import make_wheel

#: The programs of Debian packages: zsh-static stands in where there is no zsh.
SHELLS = {"bash": ["bash"], "zsh": ["zsh", "zsh-static"], "fish": ["fish"]}

FISH = """\
set before "$PATH"
function fish_prompt; test $status = 3; and echo failed; echo prompt; end
source $argv[1]
command -v tool
python -c 'import sys; print(sys.prefix)'
echo $VIRTUAL_ENV
source $argv[1]
sh -c 'exit 3'
fish_prompt
deactivate
test "$PATH" = "$before"; and echo path restored
set -q VIRTUAL_ENV; or echo variable gone
test (fish_prompt) = prompt; and echo prompt restored
command -v tool; or echo tool gone
functions -q deactivate; or echo function gone
"""

SCRIPT = """\
before=$PATH; PS1=prompt
. "$1"
command -v tool
python -c 'import sys; print(sys.prefix)'
echo "$VIRTUAL_ENV"
. "$1"
echo "$PS1"
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
    given = arguments if shell == "fish" else ("shell", *arguments)
    done = subprocess.run(
        [program(*SHELLS[shell]), "-c", script, *given],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_activate_and_deactivate(env: Path, tmp_path: Path, shell: str) -> None:
    """Activation through a link puts the link's bin first, and deactivation restores everything, also after two."""
    (tmp_path / "result").symlink_to(env)
    result = tmp_path / "result"
    assert _source(shell, SCRIPT, result / "bin" / "activate") == [
        str(result / "bin" / "tool"),
        str(result),
        str(result),
        "(result) prompt",
        "path restored",
        "variable gone",
        "prompt restored",
        "tool gone",
    ]


def test_activate_and_deactivate_in_fish(env: Path, tmp_path: Path) -> None:
    """The same in fish, whose prompt is a function that sees how the last command ended."""
    (tmp_path / "result").symlink_to(env)
    result = tmp_path / "result"
    assert _source("fish", FISH, result / "bin" / "activate.fish") == [
        str(result / "bin" / "tool"),
        str(result),
        str(result),
        "(result) failed",
        "prompt",
        "path restored",
        "variable gone",
        "prompt restored",
        "tool gone",
        "function gone",
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_activate_by_a_relative_path(env: Path, shell: str) -> None:
    """A relative path does, and the environment stays active in another directory."""
    script = '. bin/activate; cd /; command -v tool; echo "$VIRTUAL_ENV"'
    assert _source(shell, script, cwd=env) == [str(env / "bin" / "tool"), str(env)]


@pytest.mark.parametrize(("place", "file"), [(".", "bin/activate.fish"), ("bin", "activate.fish")])
def test_activate_by_a_relative_path_in_fish(env: Path, place: str, file: str) -> None:
    """A relative path does, and the shell stays where it is."""
    script = "source $argv[1]; pwd; command -v tool; echo $VIRTUAL_ENV"
    said = _source("fish", script, file, cwd=env / place)
    assert said == [str(env / place), str(env / "bin" / "tool"), str(env)]


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
