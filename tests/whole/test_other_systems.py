"""Locks for Pythons and systems that are not this machine's: made and checked here, without being run."""

from __future__ import annotations

import itertools
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename

from nixgen.lock import Lock
from nixgen.names import LOCK_NAME
from tests.builders.conftest import Workbench, manifest_of

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "x86_64-linux": ("manylinux", "x86_64"),
    "aarch64-linux": ("manylinux", "aarch64"),
    "x86_64-darwin": ("macosx", "x86_64"),
    "aarch64-darwin": ("macosx", "arm64"),
}

#: Wheels of a version each, of the stable ABI, universal, and with libraries of their own.
REQUIREMENTS = "pyyaml\npillow\nmarkupsafe\nfrozenlist\nruff\n"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Lock]:
    """Give a function that locks the requirements for some systems with further options."""

    def lock(*options: str, systems: tuple[str, ...] = tuple(SYSTEMS)) -> Lock:
        project = tmp_path_factory.mktemp("project")
        (project / "requirements.in").write_text(REQUIREMENTS)
        words = [*("--python=" + python for python in PYTHONS), *("--system=" + system for system in systems)]
        subprocess.run([sys.executable, "-m", "nixgen", "lock", "-q", *words, *options], cwd=project, check=True)
        return Lock.from_file(project / LOCK_NAME)

    return lock


@pytest.fixture(scope="module")
def every(locked: Callable[..., Lock]) -> Lock:
    """Give a lock for every Python and system."""
    return locked()


def _tags(filename: str) -> frozenset[Tag]:
    return parse_wheel_filename(filename)[3]


def test_each_target_has_wheels_of_its_own(every: Lock) -> None:
    """Every Python on every system has all packages, each as a wheel for just that Python, system and processor."""
    found = {(target.target.python, target.target.system): target.packages for target in every.targets}
    assert found.keys() == set(itertools.product(PYTHONS, SYSTEMS))
    for (python, system), packages in found.items():
        family, processor = SYSTEMS[system]
        assert {package.name for package in packages} == {"pyyaml", "pillow", "markupsafe", "frozenlist", "ruff"}
        for package in packages:
            tags = _tags(package.wheel.filename)
            assert any(tag.interpreter in ("py3", "cp" + python.replace(".", "")) for tag in tags), package
            platforms = {tag.platform for tag in tags}
            assert any(name.startswith(family) and name.endswith((processor, "universal2")) for name in platforms), (
                package
            )


def test_musl_has_wheels_of_its_own(locked: Callable[..., Lock]) -> None:
    """For musl, Linux wheels are those for musl alone."""
    lock = locked("--musl=1.2", systems=("x86_64-linux", "aarch64-linux"))
    assert len(lock.targets) == 2 * len(PYTHONS)
    for target in lock.targets:
        processor = SYSTEMS[target.target.system][1]
        for package in target.packages:
            platforms = {tag.platform for tag in _tags(package.wheel.filename)}
            assert any(name.startswith("musllinux") and name.endswith(processor) for name in platforms), package


@pytest.mark.parametrize("system", ["aarch64-linux", "aarch64-darwin"])
def test_files_are_placed(system: str, every: Lock, tmp_path: Path) -> None:
    """The tree of another system's wheel is made here: libraries of macOS that look beside them are copies."""
    (target,) = (one for one in every.targets if one.target.system == system and one.target.python == "3.12")
    (package,) = (one for one in target.packages if one.name == "pillow")
    source = every.wheels[package.wheel.filename].source
    assert source.url is not None
    with urllib.request.urlopen(source.url) as response:
        tree = Workbench(tmp_path).tree((source.filename, response.read()))
    copies: dict[str, list[str]] = manifest_of(tree)["copies"]
    libraries = {str(path.relative_to(tree)) for path in tree.rglob("*") if Path(path).suffix in (".so", ".dylib")}
    assert len(libraries) > 3
    if system.endswith("darwin"):
        assert [path for path in libraries if copies.get(path) == ["mach-o"]]
    else:
        assert not libraries & copies.keys()
