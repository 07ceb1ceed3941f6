"""Which wheels fit a target."""

from __future__ import annotations

import pytest
from packaging.utils import parse_wheel_filename

from nixgen.targets import Target
from nixgen.targets.tags import platforms, tags


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
    fitting = tags(Target.parse(python, "x86_64-linux"))
    assert bool(parse_wheel_filename(wheel)[-1] & set(fitting)) is fits
