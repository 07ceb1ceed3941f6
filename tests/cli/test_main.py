"""What every verb shares: help, versions, and how errors reach a user."""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import nixgen as package
from nixgen.cli import parse, parsers
from tests.support.cli import Cli
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

VERBS = tuple(parsers()[1])


def test_help_names_every_verb(nixgen: Cli) -> None:
    """``--help`` lists the verbs with what they do, and the exit codes."""
    said = nixgen("--help").stdout
    assert all(f"\n    {verb} " in said for verb in VERBS)
    assert "5 verification" in said


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    """Each verb's help says more than its usage, and ends with examples that the verb understands."""
    said = parsers()[1][verb].format_help()
    assert said.startswith(f"usage: nixgen {verb}")
    assert len(said.splitlines()) > 8
    examples = said.partition("\nexamples:\n")[2].partition("\n\n")[0].splitlines()
    assert examples
    for line in examples:
        command = line.strip().partition("  ")[0]
        program, *words = shlex.split(command.partition(" | ")[0])
        assert program == "nixgen"
        assert parse(words).verb == verb, command


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_quiet_and_talkative_when_asked(verb: str) -> None:
    """Each verb takes what all take, after it and before it."""
    words = [*shlex.split(_first_example(verb))[1:2], "-q", "-v", "--debug", "-C", "there"]
    after = parse([*words, *shlex.split(_first_example(verb))[2:]])
    before = parse([*words[1:], *shlex.split(_first_example(verb))[1:]])
    for options in (after, before):
        assert (options.quiet, options.verbose, options.debug, options.directory) == (True, True, True, "there")


def _first_example(verb: str) -> str:
    return parsers()[1][verb].format_help().partition("\nexamples:\n")[2].strip().partition("  ")[0].partition("\n")[0]


def test_no_colours_where_nobody_sees_them(nixgen: Cli) -> None:
    """What is piped has no colours, in help and errors either."""
    for said in (nixgen("--help"), nixgen("lock", "--help"), nixgen("lock", code=3), nixgen("lokc", code=2)):
        assert "\x1b" not in said.stdout + said.stderr


def test_help_imports_nothing_heavy() -> None:
    """Help is there at once: no HTTP client, no progress display, no templates are imported for it."""
    code = (
        "import sys\nfrom nixgen.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(*sorted({'httpx', 'rich', 'jinja2', 'packaging', 'uv'} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""


def test_a_download_imports_no_command_line_of_others(nixgen: Cli, serve: Callable[..., WheelServer]) -> None:
    """httpx has one, which imports what nobody needs here; it is not there for a verb that downloads."""
    (nixgen.directory / "requirements.in").write_text("demo\n")
    code = (
        "import sys\nfrom nixgen.cli import main\ncode = main()\n"
        "print(*sorted({'httpx', 'click', 'pygments', 'rich'} & sys.modules.keys()), file=sys.stderr)\nsys.exit(code)"
    )
    program = (sys.executable, "-c", code)
    said = replace(nixgen, program=program)("lock", "--default-index", serve(make_wheel()).index).stderr
    assert said.splitlines()[-1] == "httpx"


def test_version(nixgen: Cli) -> None:
    """``--version`` is the package's."""
    assert nixgen("--version").stdout == f"nixgen {package.__version__}\n"


def test_unknown_verb_is_a_usage_error(nixgen: Cli) -> None:
    """A verb that is none ends with code 2 and what was probably meant."""
    said = nixgen("lokc", code=2).stderr
    assert said == "nixgen: there is no verb lokc\n  what to do: try nixgen lock; see them all: nixgen --help\n"


def test_debug_shows_the_traceback(nixgen: Cli) -> None:
    """--debug shows where an error came from; without it there is none."""
    assert "Traceback" not in nixgen("lock", code=3).stderr
    assert "Traceback" in nixgen("lock", "--debug", code=3).stderr


@pytest.mark.parametrize(
    ("limit", "value", "what"),
    [(resource.RLIMIT_NOFILE, 7, "too many open files"), (resource.RLIMIT_FSIZE, 1000, "uv was ended by SIGXFSZ")],
)
def test_a_limit_of_the_machine_is_no_fault(
    nixgen: Cli, project: Path, serve: Callable[..., WheelServer], limit: int, value: int, what: str
) -> None:
    """Where the system gives no more, it says what it is, where, and what to do, and ends with a code of its own."""
    (project / "requirements.in").write_text("demo\n")
    program = (
        sys.executable,
        "-c",
        f"import resource, sys, nixgen.locking.project; from nixgen.cli import main\n"
        f"resource.setrlimit({limit}, ({value}, {value}))\nsys.exit(main())",
    )
    said = replace(nixgen, program=program)("lock", "--default-index", serve(make_wheel()).index, code=7).stderr
    assert f"nixgen: {what}" in said
    assert "where:" in said and "what to do:" in said and "unexpected" not in said
    assert not (project / "nixgen.lock").exists()


def test_what_is_in_the_way_is_named(nixgen: Cli, project: Path, serve: Callable[..., WheelServer]) -> None:
    """A file where a directory has to be is named, and stays."""
    (project / "requirements.in").write_text("demo\n")
    (project / "nix").write_text("precious")
    said = nixgen("lock", "--default-index", serve(make_wheel()).index, code=7).stderr
    assert "where: nix\n" in said and "move away" in said
    assert (project / "nix").read_text() == "precious"


@pytest.mark.parametrize("words", [("lock",), ("build",), ("list",), ("add", "demo")], ids=lambda words: words[0])
def test_missing_directory(words: tuple[str, ...], nixgen: Cli, tmp_path: Path) -> None:
    """A directory that is not there is a usage error of every verb, and is no lock that is missing."""
    (tmp_path / "file").touch()
    for name in ("nowhere", "file"):
        said = nixgen("-C", tmp_path / name, *words, code=2).stderr
        assert "no such directory" in said and name in said


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["at the end", "at once"])
@pytest.mark.parametrize("words", [("completion", "bash"), ("mounts", "--json")], ids=lambda words: words[0])
def test_an_output_that_takes_no_more(words: tuple[str, ...], unbuffered: str) -> None:
    """A full disk under the standard output is the machine's fault and says so: once, and at the end of the run too."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "nixgen", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            check=False,
        )
    assert (done.returncode, done.stderr.splitlines()[:2]) == (
        7,
        ["nixgen: no space left on device", "  where: the standard output"],
    )
    assert "ignored" not in done.stderr


def test_init_writes_a_flake_once(nixgen: Cli, project: Path) -> None:
    """``init`` writes flake.nix with nixpkgs as its only input, and refuses to replace one."""
    nixgen("init")
    flake = (project / "flake.nix").read_text()
    assert flake.count("inputs.") == 1 and "inputs.nixpkgs" in flake
    assert "already" in nixgen("init", code=3).stderr
    assert (project / "flake.nix").read_text() == flake


def test_what_a_flake_does_not_see_is_said_and_added(
    nixgen: Cli, project: Path, serve: Callable[..., WheelServer]
) -> None:
    """Files that Git does not know are named before Nix complains; ``init`` adds them on wish."""
    index = ("--default-index", serve(make_wheel()).index)
    (project / "requirements.in").write_text("demo\n")
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    assert "tracked files" not in nixgen("lock", *index).stderr
    assert "next: git add flake.nix nixgen.lock nix, then nix build" in nixgen("init").stderr
    said = nixgen("lock", *index).stderr
    assert "note: the flake sees tracked files only, and these are not: git add flake.nix nixgen.lock nix\n" in said
    (project / "flake.nix").unlink()
    said = nixgen("init", "--add").stderr
    assert "added flake.nix, nixgen.lock, nix to git" in said and "next: nix build" in said
    assert "tracked files" not in nixgen("lock", *index).stderr
    tracked = subprocess.run(["git", "ls-files"], cwd=project, capture_output=True, text=True, check=True).stdout
    assert {"flake.nix", "nixgen.lock", "nix/default.nix"} <= set(tracked.split())
