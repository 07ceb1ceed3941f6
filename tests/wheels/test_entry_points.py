"""Commands that entry_points.txt asks for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nixgen.archives.findings import Findings
from nixgen.model import WheelIndex
from nixgen.wheels.entry_points import parse_entry_points
from tests.support.wheels import make_wheel

Index = Callable[[tuple[str, bytes]], WheelIndex]
Problems = Callable[[tuple[str, bytes]], str]

MEMBER = "demo-1.0.dist-info/entry_points.txt"


def parsed(text: str | bytes) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Parse the text of an entry_points.txt; give console scripts, GUI scripts and problems."""
    findings = Findings()
    content = text if isinstance(text, bytes) else text.encode()
    console, gui = parse_entry_points(content, MEMBER, findings)
    return dict(console), dict(gui), findings.problems


def test_commands_reach_the_index(index_of: Index) -> None:
    """Console and GUI scripts are in the index, sorted, with extras stripped and other groups left alone."""
    index = index_of(
        make_wheel(
            entry_points={
                "console_scripts": {"zed": "demo:main", "ay": "demo.cli : app.run [fast,big]", "-x": "demo:x"},
                "gui_scripts": {"window": "demo.gui:main"},
                "demo.plugins": {"python": "whatever ; $(rm -rf)", "odd/name": "demo"},
            }
        )
    )
    assert list(index.console_scripts.items()) == [
        ("-x", "demo:x"),
        ("ay", "demo.cli:app.run"),
        ("zed", "demo:main"),
    ]
    assert dict(index.gui_scripts) == {"window": "demo.gui:main"}


def test_a_percent_sign_and_a_comment_are_harmless() -> None:
    """A percent sign in another group and comments of both signs do not disturb the parsing; behind a value there is
    none."""
    text = "# first\n; first\n[other]\nx = 100%\n[console_scripts]\n# second\n ; third\n;no = demo:no\nrun=demo:main\n"
    assert parsed(text) == ({"run": "demo:main"}, {}, [])
    assert "is not module:attribute" in parsed("[console_scripts]\nrun = demo:main ; none\n")[2][0]


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/b",
        "a\\b",
        "..",
        ".",
        "",
        "a\x00b",
        "a\x1b[31m",
        "a\tb",
        "x" * 256,
        "python",
        "python3",
        "python3.11",
        "python3.14t",
        "Python",
        "pythonw",
        "python.exe",
    ],
)
@pytest.mark.parametrize("group", ["console_scripts", "gui_scripts"])
def test_names_that_leave_bin_are_errors(name: str, group: str, problems_of: Problems) -> None:
    """A command whose name is no plain file name, or the interpreter's, is an error that names file and command."""
    problems = problems_of(make_wheel(entry_points={group: {name: "demo:main"}}))
    assert MEMBER in problems
    assert group in problems


@pytest.mark.parametrize("name", ["pythonic", "python-config", "ipython3", "python3.11-config", "pip", "a b", "$(x)"])
def test_names_that_only_look_like_the_interpreter_pass(name: str) -> None:
    """Commands whose names merely contain that of the interpreter, or odd characters, are commands."""
    assert parsed(f"[console_scripts]\n{name} = demo:main\n") == ({name: "demo:main"}, {}, [])


@pytest.mark.parametrize(
    "reference",
    [
        "demo",
        "demo:",
        ":main",
        "",
        "demo:main; import os",
        "demo:main()",
        "demo/cli:main",
        "demo..cli:main",
        "1demo:main",
        "demo:class",
        "demo:main:again",
        "demo:main # comment",
        "demo:main [x] y",
        "demo:'x'",
        "$(touch x):main",
    ],
)
def test_references_that_are_no_reference_are_errors(reference: str, problems_of: Problems) -> None:
    """An object reference that is not dotted names around one colon is an error that names the command."""
    problems = problems_of(make_wheel(entry_points={"console_scripts": {"run": reference}}))
    assert f"'{MEMBER}': console_scripts 'run'" in problems
    assert "reference" in problems


@pytest.mark.parametrize("text", ["[console_scripts]\nno equals sign\n", b"[console_scripts]\nx = \xff:y\n"])
def test_an_unreadable_file_is_an_error(text: str | bytes) -> None:
    """A file that is not UTF-8, or has a line that is no entry, is an error that names it."""
    console, gui, problems = parsed(text)
    assert (console, gui) == ({}, {})
    assert len(problems) == 1
    assert MEMBER in problems[0]
    assert "cannot be parsed" in problems[0]


def test_one_command_may_be_in_both_groups() -> None:
    """A name that is a console and a GUI script at once is in the index as both, as pip and uv install it."""
    text = "[gui_scripts]\nrun = demo:gui\n[console_scripts]\nrun = demo:main\n"
    assert parsed(text) == ({"run": "demo:main"}, {"run": "demo:gui"}, [])


def test_a_command_defined_twice_is_an_error_when_it_differs() -> None:
    """A command may stand twice with one reference, not with two."""
    assert parsed("[console_scripts]\nx = a:b\nx = a:b\n") == ({"x": "a:b"}, {}, [])
    assert "defined twice" in parsed("[console_scripts]\nx = a:b\nx = a:c\n")[2][0]


def test_no_file_means_no_commands(index_of: Index) -> None:
    """A wheel without entry_points.txt, or with an empty one, has no commands."""
    assert index_of(make_wheel()).console_scripts == {}
    assert index_of(make_wheel(entry_points="")).gui_scripts == {}
