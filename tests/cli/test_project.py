"""The project itself in its environments: built, editable, moved, left out."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from nixgen.inputs import running
from tests.support.cli import Cli
from tests.support.nix import NixInstallation
from tests.support.projects import write_project

pytestmark = pytest.mark.nix


@pytest.fixture
def own(nixgen: Cli, nix_store: NixInstallation) -> Cli:
    """A project with the command ``own``, locked, and a store of the tests' own."""
    kept = {name: value for name, value in nix_store.env.items() if os.environ.get(name) != value}
    cli = replace(nixgen, environment={**nixgen.environment, **kept})
    write_project(cli.directory, script="own")
    assert "built own 1.0 from the directory ." in cli("lock", "--no-index").stderr
    return cli


def says(cli: Cli, text: str) -> None:
    """Let the project's code say something else from now on."""
    (cli.directory / "src" / "own" / "__init__.py").write_text(f"def main():\n    print({text!r})\n")


def output(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def git(directory: Path, *arguments: str) -> None:
    """Run git, as nobody in particular."""
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=directory, capture_output=True, check=True)


def test_what_is_built_is_the_code_as_it_is(own: Cli) -> None:
    """A build has the project; an edit needs no new lock, and stock Nix gives the same."""
    before = (own.directory / "nixgen.lock").read_bytes()
    own("build")
    assert output(own.directory / "result" / "bin" / "own") == "one"
    says(own, "two")
    done = own("build", "--locked")
    assert output(own.directory / "result" / "bin" / "own") == "two"
    stock = subprocess.run(
        ["nix-build", "nix", "--no-out-link"],
        cwd=own.directory,
        env={**os.environ, **own.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert stock.stdout == done.stdout
    assert "nothing changed" in own("lock", "--no-index").stderr
    assert (own.directory / "nixgen.lock").read_bytes() == before


def test_git_says_which_files_there_are(own: Cli) -> None:
    """In a checkout what git does not know is no part of the build; a project that was not added is named."""
    git(own.directory, "init", "-q")
    said = own("build", "--no-out-link", code=6).stderr
    assert "Git knows only files that were added" in said
    git(own.directory, "add", "src", "backend.py", "pyproject.toml")
    (own.directory / "src" / "own" / "more.py").write_text("")
    path = own("build", "--no-out-link").stdout.strip()
    assert {file.name for file in Path(path).glob("lib/python*/site-packages/own/*.py")} == {"__init__.py"}


def test_it_is_editable_in_its_virtual_environment(own: Cli) -> None:
    """An edit shows at once, in both forms; pip knows where it is; again, nothing is built."""
    venv = own.directory / ".venv"
    assert "own is editable" in own("venv").stderr
    for form in ("--overlay", "--farm"):
        says(own, form)
        own("venv", form)
        assert output(venv / "bin" / "own") == form
    assert "editable" not in own("venv").stderr
    (info,) = venv.glob("lib/python*/site-packages/own-1.0.dist-info")
    assert own.directory.as_uri() in (info / "direct_url.json").read_text()
    shutil.rmtree(info)
    assert "own is editable" in own("fsck").stderr
    assert info.is_dir() and own("fsck").stderr == ""


def test_it_moves_with_its_virtual_environment(own: Cli) -> None:
    """A checkout that was moved works after fsck, and what it left is not asked for."""
    own("venv")
    moved = own.directory.with_name("moved")
    own.directory.rename(moved)
    there = replace(own, directory=moved)
    assert f"own is editable, from {moved}" in there("fsck").stderr
    says(there, "moved")
    assert output(moved / ".venv" / "bin" / "own") == "moved"


def test_run_and_shell_have_the_code_as_it_is(own: Cli) -> None:
    """What is run is the code of now, without a build."""
    assert own("run", "--", "own").stdout == "one\n"
    says(own, "two")
    done = own("run", "--", "own")
    assert (done.stdout, done.stderr) == ("two\n", "")
    assert own("shell", "--", "own").stdout == "two\n"
    assert not (own.directory / "result").exists()


def test_it_is_verified_and_shown(own: Cli) -> None:
    """Of what is built as it is, the tree is compared with what Nix has registered; no file of it is in the lock."""
    path = Path(own("build").stdout.strip())
    done = own("verify")
    assert "all is well" in done.stdout + done.stderr
    assert "own 1.0  own-1.0  built as it is  built" in own("show").stdout
    (tree,) = {file.resolve().parents[4] for file in path.glob("lib/python*/site-packages/own-1.0.dist-info/RECORD")}
    record = next(tree.glob("lib/python*/site-packages/own-1.0.dist-info/RECORD"))
    record.chmod(0o644)
    record.write_text("altered\n")
    done = own("verify", code=5)
    assert "RECORD" in done.stdout + done.stderr or tree.name in done.stdout + done.stderr


def test_left_out(own: Cli) -> None:
    """Without the project, its environment is that of what it needs, and a virtual environment loses it."""
    own("venv")
    assert "own is the project itself" not in own("lock", "--no-index", "--no-project").stderr
    own("venv")
    assert not list((own.directory / ".venv").glob("lib/python*/site-packages/*own*"))
    assert not (own.directory / ".venv" / "bin" / "own").exists()
    path = own("build", "--no-out-link").stdout.strip()
    assert not (Path(path) / "bin" / "own").exists()


def test_a_member_is_built_and_editable_too(own: Cli) -> None:
    """A directory that the project needs is as editable as the project is."""
    write_project(own.directory / "parts" / "part", "part", says="a part")
    text = (own.directory / "pyproject.toml").read_text()
    needs = f'dependencies = ["part @ {(own.directory / "parts" / "part").as_uri()}"]\n'
    (own.directory / "pyproject.toml").write_text(text.replace("[project.scripts]", needs + "[project.scripts]"))
    own("lock", "--no-index")
    own("venv")
    (own.directory / "parts" / "part" / "src" / "part" / "__init__.py").write_text("said = 'edited'\n")
    python = own.directory / ".venv" / "bin" / "python"
    assert output(python, "-c", "import part; print(part.said)") == "edited"


def test_a_backend_that_fails_leaves_the_environment(own: Cli) -> None:
    """A project that cannot be made editable is an error that says why, and what was there works on."""
    own("venv")
    backend = own.directory / "backend.py"
    good = backend.read_text()
    backend.write_text(good.replace("def build_editable", "def build_something"))
    (own.directory / "setup.cfg").write_text("# it is built anew\n")
    assert "has no attribute 'build_editable'" in own("venv", code=6).stderr
    assert output(own.directory / ".venv" / "bin" / "own") == "one"
    backend.write_text(good)
    own("venv")


def test_members_of_a_workspace_have_environments_of_their_own(own: Cli) -> None:
    """The root's one lock has each member's environment by its name, and another name is an error."""
    (own.directory / "nixgen.lock").unlink()
    for name in ("one", "two"):
        write_project(own.directory / "parts" / name, name, script=f"run-{name}", says=name)
    workspace = '[tool.uv.workspace]\nmembers = ["parts/*"]\n[tool.uv.sources]\none = {workspace = true}\n'
    text = (own.directory / "pyproject.toml").read_text()
    text = text.replace("[project.scripts]", 'requires-python = ">=3.11"\ndependencies = ["one"]\n[project.scripts]')
    (own.directory / "pyproject.toml").write_text(text + workspace)
    running.run(["lock", "--no-index"], cwd=own.directory)
    own("lock", "--no-index")
    expected = {None: {"own", "run-one"}, "one": {"run-one"}, "two": {"run-two"}}
    for member, commands in expected.items():
        option = [] if member is None else ["--package", member]
        path = Path(own("build", "--no-out-link", *option).stdout.strip())
        assert {name for name in ("own", "run-one", "run-two") if (path / "bin" / name).exists()} == commands
    path = Path(
        replace(own, directory=own.directory / "parts" / "two" / "src")("build", "--no-out-link").stdout.strip()
    )
    assert (path / "bin" / "run-two").exists() and not (path / "bin" / "own").exists()
    assert "no member named three" in own("build", "--package", "three", code=3).stderr
    own("venv", "--package", "two")
    (own.directory / "parts" / "two" / "src" / "two" / "__init__.py").write_text("def main():\n    print('edited')\n")
    assert output(own.directory / ".venv" / "bin" / "run-two") == "edited"
