"""Targets as users write them, and their marker environments."""

from __future__ import annotations

import pytest
from packaging.markers import default_environment

from nixgen.errors import UsageError
from nixgen.targets import SYSTEMS, Target


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
