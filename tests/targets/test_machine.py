"""What this machine has: interpreters that are asked, and defaults."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.tags import sys_tags

from nixgen.errors import InputError
from nixgen.targets import ask_interpreter, default_python, default_system, default_version
from nixgen.targets.tags import platforms, tags


def test_this_interpreter_has_the_tags_and_environment_packaging_gives_it() -> None:
    """For the running interpreter the tags are those of packaging, in its order, and so are the markers."""
    target = ask_interpreter(sys.executable)
    assert list(tags(target)) == list(sys_tags())
    assert target.environment() == default_environment()


def fake_interpreter(path: Path, **answers: object) -> Path:
    """Write a program that answers as an interpreter would."""
    said = {
        "implementation": "CPython",
        "version": "3.12.1",
        "threads": False,
        "platform": "linux",
        "machine": "x86_64",
        "bits": 64,
        "libc": "glibc 2.31",
        "host": "x86_64-pc-linux-gnu",
        "macos": "",
        "release": "6.1",
        "os_version": "#1",
    } | answers
    path.write_text(f"#!{sys.executable}\nimport json\nprint(json.dumps({said!r}))\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("answers", "key", "platform"),
    [
        ({}, "3.12-x86_64-linux", "manylinux_2_31_x86_64"),
        ({"version": "3.13.0+", "threads": True}, "3.13t-x86_64-linux", "manylinux_2_31_x86_64"),
        ({"bits": 32}, "3.12-i686-linux", "manylinux_2_31_i686"),
        ({"machine": "ppc64le"}, "3.12-powerpc64le-linux", "manylinux_2_31_ppc64le"),
        (
            {"libc": None, "host": "x86_64-alpine-linux-musl"},
            "3.12-x86_64-linux",
            "musllinux_1_2_x86_64",
        ),
        (
            {"platform": "darwin", "machine": "arm64", "libc": None, "macos": "15.1"},
            "3.12-aarch64-darwin",
            "macosx_15_0_arm64",
        ),
    ],
)
def test_an_interpreter_is_its_own_target(tmp_path: Path, answers: dict[str, object], key: str, platform: str) -> None:
    """What an interpreter says of itself decides version, system, libc and threading."""
    target = ask_interpreter(fake_interpreter(tmp_path / "python", **answers))
    assert target.key == key
    assert platform in platforms(target)
    assert "+" not in target.full_version


@pytest.mark.parametrize("answers", [{"implementation": "PyPy"}, {"platform": "win32", "machine": "AMD64"}])
def test_an_interpreter_that_cannot_be_a_target_is_an_input_error(tmp_path: Path, answers: dict[str, object]) -> None:
    """PyPy and unknown systems are refused, naming the interpreter."""
    path = fake_interpreter(tmp_path / "python", **answers)
    with pytest.raises(InputError, match=str(path)):
        ask_interpreter(path)


@pytest.mark.parametrize("program", ["/nonexistent/python", "/bin/true", "/bin/false"])
def test_what_is_no_interpreter_is_an_input_error(program: str) -> None:
    """A path that does not run, or does not answer, is refused."""
    with pytest.raises(InputError, match=program):
        ask_interpreter(program)


def test_the_default_python_is_the_machines_where_it_is_new_enough(tmp_path: Path) -> None:
    """The machine's Python decides from 3.10 on; below, or without one, the running interpreter does."""
    running = ask_interpreter(sys.executable).python
    assert default_python(fake_interpreter(tmp_path / "new", version="3.10.3")) == "3.10"
    assert default_version(fake_interpreter(tmp_path / "new", version="3.10.3")) == "3.10.3"
    assert default_python(fake_interpreter(tmp_path / "old", version="3.9.3")) == running
    assert default_python(tmp_path / "missing") == running


def test_the_default_system_is_this_machines() -> None:
    """The system is the one the running interpreter is for."""
    assert default_system() == ask_interpreter(sys.executable).system
