"""The errors that a new user meets first, each with its whole text: what, where, what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.nix import NixInstallation
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

#: As a reader of this file finds them.
TEXTS = Path(__file__).with_name("first_errors.txt")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A mistake.

    Attributes:
        typed: what is typed.
        files: what the project has.
        before: what is done before, in a shell; ``nixgen`` is that of this checkout.
        variables: what the environment has.
    """

    typed: str
    files: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


SIX = {"requirements.in": "six\n"}
PROJECT = "[project]\nname = 'shop'\nversion = '1'\ndependencies = ['six']\n"
EXTRAS = PROJECT + "[project.optional-dependencies]\ntables = ['demo']\n[dependency-groups]\ntest = ['demo']\n"

WANTS_LEAF = '{"name": "app", "dependencies": {"leaf": "^2.0.0"}}\n'


def npm_lock(entry: str, version: int = 3, wanted: str = "^2.0.0") -> str:
    """Return the text of npm's lock with one package."""
    root = f'"": {{"name": "app", "dependencies": {{"leaf": "{wanted}"}}}}'
    return f'{{"lockfileVersion": {version}, "packages": {{{root}, "node_modules/leaf": {entry}}}}}\n'


CASES = {
    "nothing here": Case(typed="lock"),
    "nothing is locked": Case(typed="build"),
    "a project of conda": Case(typed="lock", files={"environment.yml": "dependencies: [flask]\n"}),
    "a setup.py": Case(typed="lock", files={"setup.py": "import setuptools\nsetuptools.setup(name='x')\n"}),
    "a misspelt package": Case(typed="lock", files={"requirements.in": "sixx\n"}),
    "a misspelt operator": Case(typed="lock", files={"requirements.in": "demo\nsix=>1\n"}),
    "a version that there is not": Case(typed="lock", files={"requirements.in": "six==99\n"}),
    "requirements that contradict each other": Case(typed="lock", files={"requirements.in": "six>=1.17\nsix<1\n"}),
    "a wheel with a name of one's own": Case(typed="lock", files={"requirements.in": "./six.whl\n"}),
    "a file that is not there": Case(typed="lock", files={"requirements.in": "six\n-r other.in\n"}),
    "a file that is not there, typed": Case(typed="lock requirments.in", files=SIX),
    "broken TOML": Case(typed="lock", files={"pyproject.toml": "[project\nname = 'shop'\n"}),
    "a misspelt setting": Case(
        typed="lock", files={"pyproject.toml": PROJECT + "[tool.nixgen]\nplacment = {}\nmiror = 'x'\n"}
    ),
    "a misspelt extra": Case(typed="build --extra tabels", files={"pyproject.toml": EXTRAS}, before="nixgen lock"),
    "a misspelt group": Case(typed="build --group tset", files={"pyproject.toml": EXTRAS}, before="nixgen lock"),
    "a Python by another name": Case(typed="lock --python python3", files=SIX),
    "a Python that is not locked": Case(typed="build --python 3.13", files=SIX, before="nixgen lock --python 3.12"),
    "a misspelt system": Case(typed="lock --system linux", files=SIX),
    "no network": Case(typed="lock", files=SIX, variables={"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple"}),
    "another hash": Case(
        typed="lock",
        files={
            "requirements.txt": "six==1.17.0 --hash=sha256:" + 64 * "0" + "\ndemo==1.0 --hash=sha256:" + 64 * "1" + "\n"
        },
    ),
    "a conflict in the lock": Case(
        typed="build",
        files=SIX,
        before="nixgen lock; { echo '<<<<<<< HEAD'; cat nixgen.lock; } > x; mv x nixgen.lock",
    ),
    "a lock of a newer nixgen": Case(
        typed="build", files=SIX, before='nixgen lock; sed -i \'s/"nixgen": *2/"nixgen": 9/\' nixgen.lock'
    ),
    "inputs that have changed": Case(
        typed="build --locked", files=SIX, before="nixgen lock; echo demo >> requirements.in"
    ),
    "a command that there is not": Case(typed="run -- pyhton", files=SIX, before="nixgen lock"),
    "a virtual environment of somebody else's": Case(
        typed="venv", files=SIX, before="nixgen lock; nixgen build; python3 -m venv --without-pip .venv"
    ),
    "nothing to heal": Case(typed="fsck"),
    "nothing to adopt": Case(typed="adopt .venv"),
    "a flake.nix of one's own": Case(typed="init", files={**SIX, "flake.nix": "{ }\n"}, before="nixgen lock"),
    "a nix/default.nix of one's own": Case(typed="lock", files={**SIX, "nix/default.nix": "{ }\n"}),
    "a package that is not locked": Case(typed="show sixx", files=SIX, before="nixgen lock"),
    "no such directory": Case(typed="lock -C nowhere"),
    "a package.json without a lock": Case(typed="lock", files={"package.json": WANTS_LEAF}),
    "a lock of pnpm": Case(typed="lock", files={"package.json": WANTS_LEAF, "pnpm-lock.yaml": ""}),
    "a lock that is older than package.json": Case(
        typed="lock",
        files={"package.json": WANTS_LEAF, "package-lock.json": npm_lock('{"version": "1.0.0"}', wanted="^1.0.0")},
    ),
    "a lock of npm 6": Case(
        typed="lock", files={"package.json": WANTS_LEAF, "package-lock.json": npm_lock("{}", version=1)}
    ),
    "a misspelt verb": Case(typed="instal"),
    "a misspelt option": Case(typed="lock --verfy", files=SIX),
}


def expected() -> dict[str, str]:
    """Return the texts by the names of the cases."""
    found = {}
    for part in TEXTS.read_text(encoding="utf-8").split("\n== ")[1:]:
        title, _, text = part.partition("\n")
        found[title.strip()] = text.strip("\n")
    return found


@pytest.mark.nix
@pytest.mark.parametrize("name", CASES)
def test_the_whole_text(name: str, nixgen: Cli, nix_store: NixInstallation, serve: Callable[..., WheelServer]) -> None:
    """Each error is what the file of texts has, to the letter."""
    kept = {name: value for name, value in nix_store.env.items() if os.environ.get(name) != value}
    said = what_is_said(CASES[name], replace(nixgen, environment={**kept, **nixgen.environment}), serve)
    assert said == expected()[name]


def test_each_text_has_its_case() -> None:
    """No text is of a case that there is no more; there are as many as promised."""
    assert list(expected()) == list(CASES)
    assert len(CASES) >= 25
    for name, text in expected().items():
        assert "unexpected" not in text and "Traceback" not in text, name
        assert "what to do: " in text, name


def what_is_said(case: Case, nixgen: Cli, serve: Callable[..., WheelServer]) -> str:
    server = serve(make_wheel("six", "1.17.0", {"six.py": ""}), make_wheel("demo", "1.0", {"demo.py": ""}))
    for path, content in case.files.items():
        (nixgen.directory / path).parent.mkdir(parents=True, exist_ok=True)
        (nixgen.directory / path).write_text(content)
    index = {"UV_DEFAULT_INDEX": server.index}
    environment = nixgen._environment({**index, "COLUMNS": "100"})
    if case.before:
        program = f'nixgen() {{ {sys.executable} -m nixgen --quiet "$@"; }}\n'
        subprocess.run(
            ["sh", "-ec", program + case.before], cwd=nixgen.directory, env=environment, capture_output=True, check=True
        )
    done = subprocess.run(
        [*nixgen.program, *case.typed.split()],
        cwd=nixgen.directory,
        env={**environment, **case.variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode not in (0, 1)
    text = "\n".join(line for line in done.stderr.splitlines() if not line.startswith(("added ", "reading ")))
    for value, shown in (
        (str(nixgen.directory), "…/project"),
        (str(nixgen.directory.parent), "…"),
        (server.index, "INDEX"),
    ):
        text = text.replace(value, shown)
    return f"$ nixgen {case.typed}\n{text.rstrip()}\nexit code {done.returncode}"
