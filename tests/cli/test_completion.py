"""``nixgen completion``: what real shells complete with it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.programs import program

#: Completes each line of standard input as bash does, and prints what it offers.
BASH = """
. ./script
complete -p nixgen
complete_line() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    _nixgen; echo "$*: ${COMPREPLY[*]}"
}
complete_line nixgen tre
complete_line nixgen -C elsewhere outd
complete_line nixgen tree --inv
complete_line nixgen export --format ''
complete_line nixgen completion z
complete_line nixgen size some
complete_line nixgen tree some
complete_line nixgen lock --python ''
complete_line nixgen -C some
"""


def script(nixgen: Cli, shell: str) -> Path:
    """Write the script of a shell into the project."""
    file = nixgen.directory / "script"
    file.write_text(nixgen("completion", shell).stdout)
    return file


def run(*command: str | Path, directory: Path) -> str:
    """Run a shell, which has to take all of it."""
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_bash_completes(nixgen: Cli) -> None:
    """Verbs, options, known values and files are offered where they may stand, and nothing where a value is free."""
    script(nixgen, "bash")
    (nixgen.directory / "some.lock").write_text("")
    said = run("bash", "-c", BASH, directory=nixgen.directory).splitlines()
    assert said == [
        "complete -o filenames -F _nixgen nixgen",
        "nixgen tre: tree",
        "nixgen -C elsewhere outd: outdated",
        "nixgen tree --inv: --invert",
        "nixgen export --format : pylock requirements cyclonedx",
        "nixgen completion z: zsh",
        "nixgen size some: some.lock",
        "nixgen tree some: ",
        "nixgen lock --python : ",
        "nixgen -C some: some.lock",
    ]


def test_fish_completes(nixgen: Cli) -> None:
    """So does fish, with what each is for."""
    file = script(nixgen, "fish")
    lines = ("nixgen outd", "nixgen export --format cy", "nixgen tree --inv")
    asked = "; ".join([f"source {file}", *(f"complete -C '{line}'" for line in lines)])
    said = run(program("fish"), "--no-config", "-c", asked, directory=nixgen.directory).splitlines()
    assert [line.split("\t")[0] for line in said] == ["outdated", "cyclonedx", "--invert"]
    assert said[0].endswith("\tlist the packages that have newer versions")


def test_zsh_takes_the_script(nixgen: Cli) -> None:
    """zsh parses the script, and registers it where its completion is on."""
    file = script(nixgen, "zsh")
    zsh = program("zsh", "zsh-static")
    run(zsh, "-f", "-n", file, directory=nixgen.directory)
    asked = f"compdef() {{ print registered $@; }}; . {file}; whence -w _nixgen"
    assert run(zsh, "-f", "-c", asked, directory=nixgen.directory).splitlines() == [
        "registered _nixgen nixgen",
        "_nixgen: function",
    ]


@pytest.mark.parametrize("shell", ["tcsh", ""])
def test_other_shells_are_refused(nixgen: Cli, shell: str) -> None:
    """A shell that is not known gets those that are."""
    assert "bash" in nixgen("completion", shell, code=2).stderr
