"""The templates: each instantiated as ``nix flake init -t`` does, locked, built in pure mode, and used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen.targets import default_system
from tests.support.cli import Cli
from tests.support.flakes import Flakes, git_add
from tests.support.modules import NIXMODULES, Repl, problems
from tests.support.nix import NixInstallation
from tests.support.node import with_node
from tests.support.npm import NpmRegistry, npm_package

pytestmark = pytest.mark.nix

ROOT = Path(__file__).resolve().parents[1]
WHEELS = ROOT / "tests" / "flake" / "wheels"

#: Makes a project from a template, with a wheel of this repository as its only requirement, locked and tracked.
Make = Callable[..., Cli]


@pytest.fixture
def nix(nix_store: NixInstallation, nixpkgs: Path) -> Flakes:
    """Run ``nix`` in a directory, with stand-ins for nixpkgs and nixmodules."""
    return Flakes(nix_store, {"nixpkgs": nixpkgs, "nixmodules": NIXMODULES})


@pytest.fixture
def make(nix: Flakes, checkout: Path, tmp_path: Path) -> Make:
    """Make a project from a template; ``below`` is the directory that has the requirements."""

    def make(name: str, below: str = ".") -> Cli:
        project = tmp_path / name
        project.mkdir()
        nix("flake init", "-t", f"{checkout}#{name}", cwd=project)
        shutil.copytree(WHEELS, project / below / "wheels")
        (project / below / "requirements.in").write_text("./wheels/greeting-1.0-py3-none-any.whl\n")
        environment = {**nix.installation.env, "UV_CACHE_DIR": str(tmp_path / "uv")}
        cli = Cli(directory=project, environment=environment)
        cli("lock", "--no-index", "-C", below)
        git_add(project)
        return cli

    return make


def run(*command: str | Path) -> str:
    """Run a program and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_template_is_offered(nix: Flakes, checkout: Path) -> None:
    """Each directory of templates/ is a template of the flake, with a description; the project is the default."""
    shown = json.loads(nix("flake show", "--json", cwd=checkout))["templates"]
    directories = {path.name for path in (ROOT / "templates").iterdir()}
    assert shown.keys() == directories - {"project"} | {"default"}
    assert len({template["description"] for template in shown.values()}) == len(shown)


def test_a_repl(nix: Flakes, make: Make, tmp_path: Path) -> None:
    """The repl's program runs with nixgen, and its module, made after ``nixgen fetch``, runs it as a platform does."""
    cli = make("repl")
    cli("fetch")
    git_add(cli.directory)
    nix("build", ".#module", "--option", "allow-import-from-derivation", "false", cwd=cli.directory)
    repl = Repl.of_file(cli.directory, cli.directory / "result")
    assert list(problems(repl.module)) == []
    assert repl.run_file("python") == "greeting 1.0\n"
    (cli.directory / "result").unlink()
    nix("build", cwd=cli.directory)
    assert run(cli.directory / "result/bin/python", cli.directory / "main.py") == "greeting 1.0\n"


@pytest.mark.parametrize(("name", "below"), [("repl", "."), ("modules", "modules/web")])
def test_the_modules_are_what_nixgen_writes(make: Make, name: str, below: str) -> None:
    """A template's module is the one that ``nixgen module`` writes there."""
    cli = make(name, below)
    module = cli.directory / below / "nix" / "module.nix"
    written = module.read_text()
    module.unlink()
    cli("module", "-C", below)
    assert module.read_text() == written


def test_a_development_shell(nix: Flakes, make: Make) -> None:
    """``nix develop`` has the environment's Python; so has ``nixgen shell``, and ``nix build`` the environment."""
    cli = make("shell")
    code = "import greeting, os; print(greeting.hello(), os.environ['UV_NO_SYNC'])"
    assert nix("develop", "--command", "python", "-c", code, cwd=cli.directory) == "hello from a file of its own 1\n"
    assert cli("shell", "--", "python", "-c", code).stdout == "hello from a file of its own 1\n"
    nix("build", cwd=cli.directory)
    assert run(cli.directory / "result/bin/python", "-c", "import greeting; print(greeting.hello())")


def test_a_repository_of_modules(nix: Flakes, make: Make) -> None:
    """Each directory is a module by its name; a second one is made with ``nixgen lock`` and ``nixgen module``."""
    cli = make("modules", "modules/web")
    second = cli.directory / "modules" / "data"
    shutil.copytree(cli.directory / "modules/web", second, ignore=shutil.ignore_patterns("nix", "nixgen.lock"))
    cli("lock", "--no-index", "-C", "modules/data")
    cli("module", "-C", "modules/data", "--name", "Data")
    cli("fetch", "-C", "modules/data")
    git_add(cli.directory)
    for name, shown in (("web", "web"), ("data", "Data")):
        nix("build", f".#{name}", "--option", "allow-import-from-derivation", "false", cwd=cli.directory)
        module = json.loads((cli.directory / "result").read_text())
        assert (module["id"], module["name"], list(problems(module))) == (name, shown, [])


def test_an_application(nix: Flakes, make: Make) -> None:
    """``nix run`` and the built program run the entry point with its neighbours; the image starts it."""
    cli = make("application")
    said = "hello, world\nwith greeting\n"
    assert nix("run", ".", "--", "world", cwd=cli.directory) == said
    nix("build", cwd=cli.directory)
    assert run(cli.directory / "result/bin/app", "world") == said
    outputs = json.loads(nix("flake show", "--json", cwd=cli.directory))
    assert set(outputs["packages"][default_system()]) == {"default", "environment", "image"}
    nix("build", ".#image", cwd=cli.directory)
    assert os.fspath((cli.directory / "result").resolve()).endswith("-app-image.tar")


def test_a_node_repl(nix: Flakes, checkout: Path, tmp_path: Path) -> None:
    """A project of npm's packages: its program runs from node_modules of nixgen's and of ``nix develop``, and its
    module, which is what ``nixgen module`` writes, runs it as a platform does."""
    project = tmp_path / "node"
    project.mkdir()
    nix("flake init", "-t", f"{checkout}#node", cwd=project)
    written = (project / "nix/module.nix").read_text()
    (project / "package.json").write_text(
        (project / "package.json").read_text().replace('"semver": "^7.6.3"', '"greeting": "1.0.0"')
    )
    environment = {**nix.installation.env, "PATH": with_node()["PATH"], "HOME": str(tmp_path / "home")}
    cli = Cli(directory=project, environment=environment)
    with NpmRegistry([npm_package("greeting", files={"index.js": ""})]) as registry:
        registry.lock(project, home=tmp_path / "home")
        cli("lock")
        (project / "nix/module.nix").unlink()
        cli("module")
        assert (project / "nix/module.nix").read_text() == written
        cli("venv")
        assert run_in(project, "node", "index.js") == "greeting 1.0.0\n"
        git_add(project)
        nix("build", ".#module", "--option", "allow-import-from-derivation", "false", cwd=project)
        shutil.rmtree(project / "node_modules")
        repl = Repl.of_file(project, project / "result")
        assert list(problems(repl.module)) == []
        assert repl.boot() == "" and repl.run_file("nodejs") == "greeting 1.0.0\n"
        shutil.rmtree(project / "node_modules")
        assert nix("develop", "--command", "node", "index.js", cwd=project) == "greeting 1.0.0\n"
        (project / "result").unlink()
        nix("build", cwd=project)
        assert (project / "result/node_modules/greeting/package.json").is_file()
        (project / "flake.nix").unlink()
        cli("init", "--add")
        nix("build", ".#npm", cwd=project)
        assert nix("develop", "--command", "node", "index.js", cwd=project) == "greeting 1.0.0\n"


def run_in(directory: Path, *command: str) -> str:
    """Run a program of the tests' Node.js in a directory, and return what it prints."""
    done = subprocess.run(command, cwd=directory, env=with_node(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
