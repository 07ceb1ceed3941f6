"""The commands of an environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import launcher
import pytest

from tests.builders.conftest import INTERPRETER
from tests.support.interpreters import interpreters

Run = Callable[..., str]

_SAY = """\
import sys
def main():
    print(sys.prefix, *sys.argv[1:], sep="|")
def fail():
    return 3
class Group:
    main = staticmethod(main)
"""


class Venv:
    """A directory that is to Python a virtual environment."""

    def __init__(self, root: Path, python: str = INTERPRETER) -> None:
        self.root = root
        self.bin = root / "bin"
        self.bin.mkdir(parents=True)
        (self.bin / "python").symlink_to(python)
        (root / "pyvenv.cfg").write_text(f"home = {Path(python).parent}\n")

    def write(self, name: str, content: bytes) -> Path:
        """Write a command."""
        path = self.bin / name
        path.write_bytes(content)
        path.chmod(0o555)
        return path


@pytest.fixture
def venv(tmp_path: Path) -> Venv:
    """Give a virtual environment."""
    return Venv(tmp_path / "venv")


@pytest.fixture
def other(tmp_path: Path) -> Venv:
    """Give another one."""
    return Venv(tmp_path / "other")


@pytest.fixture
def tool(venv: Venv, tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Give a command that prints its prefix and arguments, and the variables that let any Python find its module."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/say.py").write_text(_SAY)
    yield venv.write("tool", launcher.entry_point("say:main")), {"PYTHONPATH": str(tmp_path / "modules")}


def test_a_command_runs_the_python_beside_it(venv: Venv, tool: tuple[Path, dict[str, str]], run: Run) -> None:
    """Called by its path, a command runs its own environment's Python and passes arguments on as they are."""
    command, env = tool
    assert run(command, "a b", "", "*", "$x", "'\"", env=env) == f"{venv.root}|a b||*|$x|'\"\n"


def test_a_command_is_found_on_path(venv: Venv, tool: tuple[Path, dict[str, str]], run: Run, tmp_path: Path) -> None:
    """Called by its name, it is found through PATH, also through a relative directory and an empty one."""
    path = os.environ["PATH"]
    for directory, place in [(venv.bin, tmp_path), ("venv/bin", tmp_path), (".", venv.bin), ("", venv.bin)]:
        variables = {**tool[1], "PATH": f"{directory}:{path}"}
        assert run("/bin/sh", "-c", "tool x", env=variables, cwd=place) == f"{venv.root}|x\n"


def test_a_shell_runs_a_command(venv: Venv, tool: tuple[Path, dict[str, str]], run: Run) -> None:
    """``sh tool`` works with a path, and with a bare name in the directory of the command."""
    assert run("/bin/sh", tool[0], "x", env=tool[1]) == f"{venv.root}|x\n"
    assert run("/bin/sh", "tool", "x", env=tool[1], cwd=venv.bin) == f"{venv.root}|x\n"


def test_a_link_from_another_environment_runs_that_one(
    other: Venv, tool: tuple[Path, dict[str, str]], run: Run
) -> None:
    """A link in another environment's ``bin`` runs the Python beside the link."""
    (other.bin / "tool").symlink_to(tool[0])
    assert run(other.bin / "tool", "x", env=tool[1]) == f"{other.root}|x\n"


def test_a_link_from_elsewhere_runs_its_environment(
    venv: Venv, tool: tuple[Path, dict[str, str]], run: Run, tmp_path: Path
) -> None:
    """A link in a directory without Python runs the environment that it leads to, by path and by name."""
    (tmp_path / "home bin").mkdir()
    link = tmp_path / "home bin/tool"
    link.symlink_to(tool[0])
    assert run(link, "a b", env=tool[1]) == f"{venv.root}|a b\n"
    variables = {**tool[1], "PATH": f"{link.parent}:{os.environ['PATH']}"}
    assert run("tool", "a b", env=variables) == f"{venv.root}|a b\n"
    assert run("/bin/sh", "tool", env=tool[1], cwd=link.parent) == f"{venv.root}\n"


def test_a_chain_of_relative_links_is_followed(
    venv: Venv, tool: tuple[Path, dict[str, str]], run: Run, tmp_path: Path
) -> None:
    """Relative links are followed one by one, each from its own directory, from any working directory."""
    for name, goal in [("a/b/one", "../two"), ("a/two", "../c/three"), ("c/three", "../venv/bin/tool")]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(goal)
    assert run("./one", "x", env=tool[1], cwd=tmp_path / "a/b") == f"{venv.root}|x\n"
    assert run("a/b/one", "x", env=tool[1], cwd=tmp_path) == f"{venv.root}|x\n"


def test_a_link_beside_a_python_of_no_environment_runs_its_own(
    venv: Venv, tool: tuple[Path, dict[str, str]], run: Run, tmp_path: Path
) -> None:
    """A link in ``/usr/local/bin`` or ``~/.local/bin``, where a plain Python lies, runs the environment it leads to."""
    (tmp_path / "local/bin").mkdir(parents=True)
    (tmp_path / "local/bin/python").symlink_to(INTERPRETER)
    (tmp_path / "local/bin/tool").symlink_to(tool[0])
    assert run(tmp_path / "local/bin/tool", "x", env=tool[1]) == f"{venv.root}|x\n"


def test_a_link_to_the_environment_keeps_its_name(
    venv: Venv, tool: tuple[Path, dict[str, str]], run: Run, tmp_path: Path
) -> None:
    """Through a link to the whole environment (``result``), the prefix is the link, as for any Python."""
    (tmp_path / "result").symlink_to(venv.root)
    assert run(tmp_path / "result/bin/tool", env=tool[1]) == f"{tmp_path}/result\n"


def test_a_link_to_the_directory_of_commands_runs_its_environment(
    venv: Venv, tool: tuple[Path, dict[str, str]], run: Run, tmp_path: Path
) -> None:
    """Where the directory itself is a link (``~/bin``), the environment that holds it runs."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/bin").symlink_to(venv.bin)
    for place, name in [
        (tmp_path, "home/bin/tool"),
        (tmp_path / "home", "bin/tool"),
        (tmp_path / "home/bin", "./tool"),
    ]:
        assert run(name, "x", env=tool[1], cwd=place) == f"{venv.root}|x\n"


def test_a_link_to_nothing_known_fails(tmp_path: Path, tool: tuple[Path, dict[str, str]], venv: Venv, run: Run) -> None:
    """A copy of a command away from every Python fails with the name of the Python it looked for."""
    copy = tmp_path / "tool"
    copy.write_bytes(tool[0].read_bytes())
    copy.chmod(0o755)
    with pytest.raises(AssertionError, match=f"{tmp_path}/python"):
        run(copy)


def test_what_the_function_returns_is_the_exit_code(venv: Venv, tool: tuple[Path, dict[str, str]], run: Run) -> None:
    """The command exits with what its function returns."""
    command = venv.write("failing", launcher.entry_point("say:fail"))
    assert run("/bin/sh", "-c", f'"{command}"; echo $?', env=tool[1]) == "3\n"


def test_a_nested_attribute_is_called(venv: Venv, tool: tuple[Path, dict[str, str]], run: Run) -> None:
    """``module:Class.attribute`` is called."""
    command = venv.write("nested", launcher.entry_point("say:Group.main"))
    assert run(command, "x", env=tool[1]) == f"{venv.root}|x\n"


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "demo",
        "demo:",
        ":main",
        "demo:main; import os",
        "demo:main\nimport os",
        "demo main:x",
        "demo:main()",
        "1demo:main",
        "demo..a:main",
        "demo:ma'in",
        "demo:main [extra]",
        "demo:${main}",
    ],
)
def test_only_a_reference_reaches_the_text(reference: str) -> None:
    """What is no object reference is refused: nothing else of a wheel becomes part of a script."""
    with pytest.raises(ValueError, match="not an object reference"):
        launcher.entry_point(reference)


def test_names_outside_ascii_are_references(venv: Venv, tmp_path: Path, run: Run) -> None:
    """Python's identifiers need not be ASCII."""
    (tmp_path / "größe.py").write_text("def maß():\n    print('ok')\n", encoding="utf-8")
    command = venv.write("tool", launcher.entry_point("größe:maß"))
    assert run(command, env={"PYTHONPATH": str(tmp_path), "PYTHONUTF8": "1"}) == "ok\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"#!python\n", True),
        (b"#!pythonw\r\n", True),
        (b"#!python -E\n", True),
        (b"#!python", True),
        (b"#!/usr/bin/python\n", False),
        (b"#!/bin/sh\n", False),
        (b" #!python\n", False),
        (b"", False),
    ],
)
def test_python_scripts_are_recognised(content: bytes, expected: bool) -> None:
    """A script is Python's where its first line starts with ``#!python``."""
    assert launcher.is_python_script(content) is expected


SCRIPTS = {
    "plain": (b"#!python\nprint('ok')\n", "ok"),
    "gui": (b"#!pythonw\nprint('ok')\n", "ok"),
    "crlf": (b"#!python\r\nif True:\r\n    print('ok')\r\n", "ok"),
    "options": (b"#!python -E\nprint('ok')\n", "ok"),
    "only a first line": (b"#!python", ""),
    "docstring": (
        b"#!python\n'''Usage: \xc3\xbc \\n \\\\ \"\"\"'''\nprint(ascii(__doc__))\n",
        ascii('Usage: ü \n \\ """'),
    ),
    "no docstring": (b"#!python\nx = 1\n'''no docstring'''\nprint('ok')\n", "ok"),
    "no text to print": (b"#!python\n# no docstring\nprint(__doc__)\n", "None"),
    "future": (b"#!python\nfrom __future__ import division\nprint(1 / 2, __doc__)\n", "0.5 None"),
    "comment, then future": (b"#!python\n# x\nfrom __future__ import division; y = 1\nprint(y, __doc__)\n", "1 None"),
    "future and docstring": (
        b"#!python\n# comment\n'''Two\nlines'''\n\nfrom __future__ import division\nprint(ascii(__doc__))\n",
        ascii("Two\nlines"),
    ),
    "future over lines": (
        b"#!python\n'Doc'\nfrom __future__ import (\n  division,\n)\nfrom __future__ import generators; x = (\n  1)\n"
        b"print(x, __doc__)\n",
        "1 Doc",
    ),
    "future at the end": (b"#!python\n'Doc'\nfrom __future__ import division", ""),
    "cookie": (b"#!python\n# -*- coding: latin-1 -*-\nprint(ascii('\xe9'))\n", ascii("é")),
    "cookie of an editor": (b"#!python\n# vim: set fileencoding=cp1251 :\nprint(ascii('\xe9'))\n", ascii("й")),
    "cookie and docstring": (
        b"#!python\n# coding: latin-1\n'''Doc \xe9'''\nfrom __future__ import division\nprint(ascii(__doc__))\n",
        ascii("Doc é"),
    ),
    "does not parse": (b"#!python\ntry:\n    exec('print 1')\nexcept SyntaxError:\n    print('ok')\n", "ok"),
    "arguments": (b"#!python\nimport sys\nprint(sys.argv[1:])\n", "['a b', '$c']"),
}


@pytest.mark.parametrize("version", interpreters())
def test_python_scripts_run_on_every_python(version: str, tmp_path: Path, run: Run) -> None:
    """Scripts with cookies, docstrings and future imports compile and say the same under a launcher's header."""
    venv = Venv(tmp_path / "venv", interpreters()[version])
    commands = {
        name: venv.write(name.replace(" ", "-"), launcher.python_script(body)) for name, (body, _) in SCRIPTS.items()
    }
    said = {name: run(command, "a b", "$c").rstrip("\n") for name, command in commands.items()}
    assert said == {name: expected for name, (_, expected) in SCRIPTS.items()}


def test_lines_of_a_script_keep_their_order(venv: Venv, run: Run) -> None:
    """A script with a docstring and future imports loses no line but the docstring's own, which stay as empty ones."""
    body = b"'''Doc\n'''\nfrom __future__ import division\na = 1\n"
    made = launcher.python_script(b"#!python\n" + body)
    assert made.endswith(b"\n\nfrom __future__ import division\n__doc__ = 'Doc\\n'\na = 1\n")


def test_a_command_has_no_docstring() -> None:
    """The shell's part of a launcher is not what a command prints of ``__main__.__doc__``."""
    script = launcher.entry_point("demo:main").decode()
    namespace: dict[str, object] = {
        "__name__": "tested",
        "__builtins__": {"__import__": lambda *_: type("demo", (), {"main": 0})},
    }
    exec(script, namespace)
    assert namespace["__doc__"] is None
