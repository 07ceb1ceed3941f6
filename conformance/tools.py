"""The tools that lock: what each is told of a requirement set, and where it runs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uv
from packaging.requirements import Requirement
from pip._internal.models.index import PyPI

from conformance.sets import RequirementSet
from conformance.targets import REQUIRES_PYTHON
from corpus.processes import Done, Processes

ROOT = Path(__file__).resolve().parent.parent

#: What script/python-tools installs, each in a virtual environment of its own.
INSTALLED = ROOT / ".cache" / "tools"

#: PyPI, as pip has it. Poetry is given it as any index: its own way to PyPI needs an interface that mirrors lack.
INDEX = PyPI.simple_url


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool that locks.

    Attributes:
        name: what the command line, the page and ``script/python-tools`` call it.
        lock: the file that it writes.
        files: what its project consists of, by name.
        command: how it locks.
        group: whether its lock tells the group ``dev`` from the rest.
        universal: whether its lock is all there is; else it is a list of requirements, and pip resolves what it lacks.
    """

    name: str
    lock: str
    files: Callable[[RequirementSet], dict[str, str]]
    command: Sequence[str]
    group: bool = True
    universal: bool = True

    @property
    def directory(self) -> Path:
        """Where its programs are."""
        return Path(uv.find_uv_bin()).parent if self.name == "uv" else INSTALLED / self.name / "bin"

    @property
    def program(self) -> Path:
        """Its command."""
        names = {"poetry-1.8": "poetry", "pip-tools": "pip-compile"}
        return self.directory / names.get(self.name, self.name)

    @property
    def python(self) -> Path:
        """The interpreter that has its library."""
        return self.directory / "python"


class Workshop:
    """Runs tools, each with a home of its own, whose caches all sets share.

    Args:
        root: where homes are made.
        processes: what runs.
    """

    def __init__(self, root: Path, processes: Processes) -> None:
        self._root = root
        self.processes = processes

    def environment(self, name: str) -> dict[str, str]:
        """Return the environment of a program: nothing of the user's configuration counts."""
        home = self._root / name
        home.mkdir(parents=True, exist_ok=True)
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("UV_", "PIP_", "PDM_", "POETRY_", "PIPENV_", "VIRTUAL_ENV", "XDG_", "PYTHON"))
        }
        return {
            **kept,
            "HOME": str(home),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_NO_CONFIG": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_PYTHON": sys.executable,
            # The macOS that a wheel may ask for.
            "MACOSX_DEPLOYMENT_TARGET": "14.0",
            "POETRY_VIRTUALENVS_PATH": str(home / "environments"),
            "WORKON_HOME": str(home / "environments"),
            "PIPENV_VERBOSITY": "-1",
            "PDM_CHECK_UPDATE": "false",
            "NO_COLOR": "1",
            "COLUMNS": "400",
        }

    def run(
        self,
        tool: Tool,
        *arguments: str | Path,
        directory: Path,
        seconds: float,
        python: bool = False,
        text: str = "",
        **more: str,
    ) -> Done:
        """Run a tool in a directory.

        Args:
            tool: which.
            arguments: of its command.
            directory: where.
            seconds: how long it may take.
            python: run the interpreter that has its library instead of its command.
            text: its standard input.
            more: environment variables.
        """
        program = tool.python if python else tool.program
        return self.processes.run(
            [program, *arguments],
            cwd=directory,
            env={**self.environment(tool.name), **more},
            timeout=seconds,
            text=text,
        )


def _project(wanted: RequirementSet, *more: str) -> str:
    lines = [
        "[project]",
        f'name = "{wanted.name}-set"',
        'version = "1"',
        f'requires-python = "{REQUIRES_PYTHON}"',
        f"dependencies = {json.dumps(list(map(str, wanted.requirements)), indent=2)}",
        "[dependency-groups]",
        f"dev = {json.dumps(list(map(str, wanted.development)), indent=2)}",
        *more,
    ]
    return "\n".join([*lines, ""])


_POETRY_SOURCE = f'[[tool.poetry.source]]\nname = "index"\nurl = "{INDEX}"\npriority = "primary"\n'


def _uv(wanted: RequirementSet) -> dict[str, str]:
    return {"pyproject.toml": _project(wanted, "[tool.uv]", "package = false")}


def _pdm(wanted: RequirementSet) -> dict[str, str]:
    return {"pyproject.toml": _project(wanted, "[tool.pdm]", "distribution = false")}


def _poetry(wanted: RequirementSet) -> dict[str, str]:
    return {"pyproject.toml": _project(wanted, "[tool.poetry]", "package-mode = false", _POETRY_SOURCE)}


def _poetry_1(wanted: RequirementSet) -> dict[str, str]:
    lines = [
        "[tool.poetry]",
        "package-mode = false",
        "[tool.poetry.dependencies]",
        f'python = "{REQUIRES_PYTHON}"',
        *_tables(wanted.requirements),
        "[tool.poetry.group.dev.dependencies]",
        *_tables(wanted.development),
        _POETRY_SOURCE,
    ]
    return {"pyproject.toml": "\n".join([*lines, ""])}


def _pipenv(wanted: RequirementSet) -> dict[str, str]:
    lines = [
        "[[source]]",
        'name = "pypi"',
        f'url = "{INDEX}"',
        "verify_ssl = true",
        "[packages]",
        *_tables(wanted.requirements),
        "[dev-packages]",
        *_tables(wanted.development),
    ]
    return {"Pipfile": "\n".join([*lines, ""])}


def _pip_tools(wanted: RequirementSet) -> dict[str, str]:
    every = [*wanted.requirements, *wanted.development]
    return {"requirements.in": "".join(f"{one}\n" for one in every)}


def _tables(requirements: Iterable[Requirement]) -> list[str]:
    """Return requirements as Poetry's and Pipenv's own formats have them."""
    lines = []
    for one in requirements:
        parts = [f"version = {json.dumps(str(one.specifier) or '*')}"]
        parts += [f"extras = {json.dumps(sorted(one.extras))}"] if one.extras else []
        parts += [f"markers = {json.dumps(str(one.marker))}"] if one.marker else []
        lines.append(f"{one.name} = {{{', '.join(parts)}}}")
    return lines


#: All of them, by name.
TOOLS = {
    tool.name: tool
    for tool in (
        Tool(name="uv", lock="uv.lock", files=_uv, command=["lock", "--no-progress"]),
        Tool(name="poetry", lock="poetry.lock", files=_poetry, command=["lock", "--no-interaction"]),
        Tool(name="poetry-1.8", lock="poetry.lock", files=_poetry_1, command=["lock", "--no-interaction"]),
        Tool(name="pdm", lock="pdm.lock", files=_pdm, command=["lock", "-G", ":all"]),
        Tool(name="pipenv", lock="Pipfile.lock", files=_pipenv, command=["lock"]),
        # Without hashes: it asks an interface of PyPI's for them that mirrors lack, and downloads every file then.
        Tool(
            name="pip-tools",
            lock="requirements.txt",
            files=_pip_tools,
            command=[
                "--quiet",
                "--allow-unsafe",
                "--strip-extras",
                "--output-file=requirements.txt",
                "requirements.in",
            ],
            group=False,
            universal=False,
        ),
    )
}
