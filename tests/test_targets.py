"""Targets: versions and systems as users write them, their tags and marker environments."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

from nixgen.errors import InputError, UsageError
from nixgen.targets import SYSTEMS, Target, default_python, default_system


def platforms(target: Target) -> list[str]:
    return target.platforms()


def test_this_interpreter_has_the_tags_and_environment_packaging_gives_it() -> None:
    """For the running interpreter the tags are those of packaging, in its order, and so are the markers."""
    target = Target.from_interpreter(sys.executable)
    assert target.tags() == list(sys_tags())
    assert target.environment() == default_environment()


@pytest.mark.parametrize(
    ("given", "python", "full"),
    [
        ("3.11", "3.11", "3.11.0"),
        ("3.11.7", "3.11", "3.11.7"),
        ("3.13t", "3.13t", "3.13.0"),
        ("3.14.2t", "3.14t", "3.14.2"),
        ("3.15.0a2", "3.15", "3.15.0a2"),
        ("3.20", "3.20", "3.20.0"),
    ],
)
def test_a_python_is_read_as_users_write_it(given: str, python: str, full: str) -> None:
    """A minor version means its first release, a full version stays, and a t means free-threaded."""
    target = Target.parse(given, "x86_64-linux")
    assert (target.python, target.full_version) == (python, full)
    assert target.key == f"{python}-x86_64-linux"


@pytest.mark.parametrize("given", ["", "3", "2.7", "3.7", "3.11x", "311", "3.12t", "3.11.", "python3", "3.11\n"])
def test_a_python_that_makes_no_sense_is_a_usage_error(given: str) -> None:
    """What is no supported Python version is refused with the ones that are possible."""
    with pytest.raises(UsageError) as caught:
        Target.parse(given, "x86_64-linux")
    assert "3.13t" in str(caught.value)


def test_an_unknown_system_is_a_usage_error_that_lists_the_known() -> None:
    """A system nixgen does not know is refused with all that it knows."""
    with pytest.raises(UsageError) as caught:
        Target.parse("3.11", "sparc-linux")
    assert all(system in str(caught.value) for system in SYSTEMS)


@pytest.mark.parametrize(
    "option",
    [
        {"glibc": "x"},
        {"glibc": "3.0"},
        {"glibc": "2.28.1"},
        {"musl": "2.0"},
        {"musl": ""},
        {"glibc": "2.1", "musl": "1"},
    ],
)
def test_a_libc_that_makes_no_sense_is_a_usage_error(option: dict[str, str]) -> None:
    """A glibc or musl that is no version of it is refused, and so are both at once."""
    with pytest.raises(UsageError, match="--" + list(option)[-1]):
        Target.parse("3.11", "x86_64-linux", **option)


def test_musl_platforms_go_down_from_the_floor() -> None:
    """With a musl a Linux target takes musllinux wheels up to it and no manylinux one; a Mac does not mind."""
    target = Target.parse("3.11", "aarch64-linux", musl="1.2")
    assert platforms(target) == ["linux_aarch64", *(f"musllinux_1_{minor}_aarch64" for minor in (2, 1, 0))]
    assert target.key == "3.11-aarch64-linux"
    assert Target.parse("3.11", "aarch64-darwin", musl="1.2") == Target.parse("3.11", "aarch64-darwin")


def test_linux_platforms_go_down_from_the_floor_with_the_legacy_names() -> None:
    """manylinux tags descend from the chosen glibc to 2.5 on x86, each old name after its PEP 600 name."""
    found = platforms(Target.parse("3.11", "x86_64-linux", glibc="2.18"))
    assert found[:4] == [
        "linux_x86_64",
        "manylinux_2_18_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
    ]
    assert found[-2:] == ["manylinux_2_5_x86_64", "manylinux1_x86_64"]
    assert not [name for name in found if "musl" in name]


@pytest.mark.parametrize(
    ("system", "machine"),
    [
        ("aarch64-linux", "aarch64"),
        ("armv7l-linux", "armv7l"),
        ("riscv64-linux", "riscv64"),
        ("powerpc64le-linux", "ppc64le"),
    ],
)
def test_other_machines_start_at_glibc_2_17(system: str, machine: str) -> None:
    """Where PEP 600 is all there is, the oldest platform is manylinux2014, under Python's machine name."""
    found = platforms(Target.parse("3.11", system))
    assert found[:2] == [f"linux_{machine}", f"manylinux_2_35_{machine}"]
    assert found[-1] == f"manylinux2014_{machine}"


def test_macos_platforms_go_down_from_the_floor() -> None:
    """A Mac takes wheels up to its macOS: its own architecture and universal ones."""
    arm = platforms(Target.parse("3.11", "aarch64-darwin", macos="13.0"))
    assert arm[0] == "macosx_13_0_arm64"
    assert "macosx_11_0_universal2" in arm and "macosx_14_0_arm64" not in arm
    assert "macosx_10_9_x86_64" in platforms(Target.parse("3.11", "x86_64-darwin"))


@pytest.mark.parametrize(
    ("python", "wheel", "fits"),
    [
        ("3.11", "x-1-cp311-cp311-manylinux_2_17_x86_64.whl", True),
        ("3.11", "x-1-cp37-abi3-manylinux_2_28_x86_64.whl", True),
        ("3.11", "x-1-cp312-abi3-manylinux_2_28_x86_64.whl", False),
        ("3.11", "x-1-cp311-cp311-manylinux_2_36_x86_64.whl", False),
        ("3.11", "x-1-cp311-cp311-musllinux_1_2_x86_64.whl", False),
        ("3.11", "x-1-py3-none-any.whl", True),
        ("3.11", "x-1-py2-none-any.whl", False),
        ("3.13t", "x-1-cp313-cp313t-manylinux_2_17_x86_64.whl", True),
        ("3.13t", "x-1-cp313-cp313-manylinux_2_17_x86_64.whl", False),
        ("3.13t", "x-1-cp37-abi3-manylinux_2_17_x86_64.whl", False),
        ("3.13", "x-1-cp313-cp313t-manylinux_2_17_x86_64.whl", False),
    ],
)
def test_wheels_fit_as_pip_would_have_it(python: str, wheel: str, fits: bool) -> None:
    """ABI, stable ABI, free threading and libc decide whether a wheel fits."""
    tags = Target.parse(python, "x86_64-linux").tags()
    assert bool(parse_wheel_filename(wheel)[-1] & set(tags)) is fits


def test_the_environment_is_the_targets_whatever_runs() -> None:
    """Every marker variable is there and says what the target is."""
    environment = Target.parse("3.12.4", "aarch64-darwin").environment()
    assert environment == {
        "implementation_name": "cpython",
        "implementation_version": "3.12.4",
        "os_name": "posix",
        "platform_machine": "arm64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Darwin",
        "platform_version": "",
        "python_full_version": "3.12.4",
        "python_version": "3.12",
        "sys_platform": "darwin",
    }
    assert environment.keys() == default_environment().keys()


def test_a_free_threaded_python_is_its_version_in_markers() -> None:
    """The t of 3.13t is no part of python_version."""
    assert Target.parse("3.13t", "x86_64-linux").environment()["python_version"] == "3.13"


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
    target = Target.from_interpreter(fake_interpreter(tmp_path / "python", **answers))
    assert target.key == key
    assert platform in platforms(target)
    assert "+" not in target.full_version


@pytest.mark.parametrize("answers", [{"implementation": "PyPy"}, {"platform": "win32", "machine": "AMD64"}])
def test_an_interpreter_that_cannot_be_a_target_is_an_input_error(tmp_path: Path, answers: dict[str, object]) -> None:
    """PyPy and unknown systems are refused, naming the interpreter."""
    path = fake_interpreter(tmp_path / "python", **answers)
    with pytest.raises(InputError, match=str(path)):
        Target.from_interpreter(path)


@pytest.mark.parametrize("program", ["/nonexistent/python", "/bin/true", "/bin/false"])
def test_what_is_no_interpreter_is_an_input_error(program: str) -> None:
    """A path that does not run, or does not answer, is refused."""
    with pytest.raises(InputError, match=program):
        Target.from_interpreter(program)


def test_the_default_python_is_the_machines_where_it_is_new_enough(tmp_path: Path) -> None:
    """The machine's Python decides from 3.10 on; below, or without one, the running interpreter does."""
    running = Target.from_interpreter(sys.executable).python
    assert default_python(fake_interpreter(tmp_path / "new", version="3.10.3")) == "3.10"
    assert default_python(fake_interpreter(tmp_path / "old", version="3.9.3")) == running
    assert default_python(tmp_path / "missing") == running


def test_the_default_system_is_this_machines() -> None:
    """The system is the one the running interpreter is for."""
    assert default_system() == Target.from_interpreter(sys.executable).system
