"""The .data directory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nixgen.model import WheelIndex
from nixgen.wheels.schemes import installed_path
from tests.support.wheels import Member, make_wheel

Index = Callable[[tuple[str, bytes]], WheelIndex]
Problems = Callable[[tuple[str, bytes]], str]


def test_every_known_scheme_passes(index_of: Index) -> None:
    """Files of the five schemes are files of the wheel, under their path in the archive."""
    schemes = {
        "purelib/p.py": "1",
        "platlib/q.py": "2",
        "scripts/run": "#!python\n",
        "scripts/python-config": "#!python\n",
        "headers/demo.h": "3",
        "data/share/demo.txt": "4",
        "data/bin/tool": "5",
        "data/bin/ipython": "6",
        "data/lib/x.txt": "7",
        "data/lib64.txt": "8",
        "data/etc/pyvenv.cfg": "9",
    }
    index = index_of(make_wheel(data=schemes))
    assert index.data_dir == "demo-1.0.data"
    assert {f"demo-1.0.data/{path}" for path in schemes} <= set(index.files)
    assert index.warnings == ()


@pytest.mark.parametrize("path", ["bin/x", "lib/x", "Scripts/x", "data.d/x", " purelib/x"])
def test_unknown_schemes_are_errors(path: str, problems_of: Problems) -> None:
    """A scheme that no installer knows is an error that names the member."""
    problems = problems_of(make_wheel(data={path: "x"}))
    assert f"'demo-1.0.data/{path}': unknown scheme" in problems


def test_a_file_beside_the_schemes_is_an_error(problems_of: Problems) -> None:
    """A file directly in the .data directory belongs nowhere and is an error."""
    assert "belongs to no scheme" in problems_of(make_wheel(data={"x": "x"}))


@pytest.mark.parametrize(
    "path",
    [
        "scripts/python",
        "scripts/python3",
        "scripts/python3.11",
        "scripts/python3.13t",
        "scripts/pythonw",
        "scripts/PYTHON",
        "data/bin/python",
        "data/bin/python3",
        "data/BIN/python3.11",
        "data/pyvenv.cfg",
        "data/PyVenv.cfg",
        "data/lib64/python3.11/x.py",
        "data/lib64",
        "data/lib",
        "data/bin",
        "data/nix-support/setup-hook",
        "data/nix-support",
        "data/.nixgen/state",
        "data/.lock",
        "data/.lock/x",
        "data/bin/python3/x",
        "data/bin/nixgen-venv",
        "data/lib/python3.12",
        "data/lib/python3.11/site-packages",
        "data/lib/python3.11/.t0",
        "data/lib/python3.11/.0/x",
        "scripts/nixgen-venv",
        "scripts/python3/x",
        "purelib/0-nixgen-libraries.pth",
        "platlib/_nixgen_libraries/__init__.py",
        "purelib/_nixgen_libraries.py",
        "purelib/demo/__pycache__",
        "data/lib/python3.11/site-packages/demo/__pycache__",
        "data/lib/python3.12/site-packages/0-nixgen-libraries.pth",
    ],
)
def test_parts_of_the_environment_are_protected(path: str, problems_of: Problems) -> None:
    """A file that would stand where the environment's own interpreter, configuration or directories do is an error."""
    problems = problems_of(make_wheel(data={path: "x"}))
    assert f"'demo-1.0.data/{path}': it would replace a part of the environment" in problems


def test_what_only_looks_like_a_part_of_the_environment_passes(index_of: Index) -> None:
    """Names beside those of an environment's own parts are a wheel's to use."""
    paths = (
        "data/lib/python3.11/site-packages/x.py",
        "data/lib/python3.11/t0",
        "scripts/nixgen-venv2",
        "data/.lockfile",
        "data/share/demo/__pycache__",
        "purelib/demo/__pycache__s",
    )
    assert len(index_of(make_wheel(data=dict.fromkeys(paths, "x"))).files) == 4 + len(paths)


def test_the_environments_own_modules_are_protected(problems_of: Problems) -> None:
    """At the top of site-packages too, what an environment has there for its libraries is its own."""
    problems = problems_of(make_wheel(files={"_nixgen_libraries/x.py": "x", "demo/_nixgen_libraries.py": "x"}))
    assert "'_nixgen_libraries/x.py': it would replace" in problems and "demo/" not in problems
    assert "'demo/__pycache__': it would replace" in problems_of(make_wheel(files={"demo/__pycache__": "x"}))


@pytest.mark.parametrize("stem", ["other-1.0", "demo-2.0", "demo"])
def test_a_foreign_data_directory_is_an_error(stem: str, problems_of: Problems) -> None:
    """A top-level .data directory that does not fit the file name is an error: installers disagree about it."""
    assert f"'{stem}.data': it does not fit" in problems_of(make_wheel(files={f"{stem}.data/data/x": "x"}))


def test_two_data_directories_are_an_error(problems_of: Problems) -> None:
    """Two spellings of the wheel's own .data directory are an error."""
    wheel = make_wheel(data={"data/x": "x"}, files={"Demo-1.0.data/data/y": "y"})
    assert "2 .data directories" in problems_of(wheel)


def test_a_data_directory_further_down_is_ordinary(index_of: Index) -> None:
    """A directory named .data below the top is a directory like others."""
    assert index_of(make_wheel(files={"demo/x-1.data/bin/python": "x"})).data_dir is None


def test_two_files_for_one_place_are_an_error(problems_of: Problems) -> None:
    """Two files of the wheel that would be installed to one place with different content are an error."""
    problems = problems_of(make_wheel(files={"demo/a.py": "1"}, data={"purelib/demo/a.py": "2"}))
    assert "'demo/a.py': it is installed to the same place as 'demo-1.0.data/purelib/demo/a.py'" in problems


@pytest.mark.parametrize("path", ["data/lib/python3.11/site-packages/demo/a.py", "data/bin/run"])
def test_data_reaches_into_other_schemes(path: str, problems_of: Problems) -> None:
    """The scheme ``data`` is the whole environment: a file that it puts in another's place is an error too."""
    wheel = make_wheel(files={"demo/a.py": "1"}, data={path: "2", "scripts/run": "3"})
    assert "it is installed to the same place as" in problems_of(wheel)


def test_two_equal_files_for_one_place_pass(index_of: Index) -> None:
    """Two files for one place with the same content are no error."""
    index = index_of(make_wheel(files={"demo/a.py": "1"}, data={"platlib/demo/a.py": "1"}))
    assert len([path for path in index.files if path.endswith("demo/a.py")]) == 2


@pytest.mark.parametrize(
    "path", ["demo-1.0.data/scripts/demo/x", "demo-1.0.data/data/bin/demo/y/z", "demo-1.0.dist-info/direct_url.json/x"]
)
def test_a_directory_where_an_installation_writes_a_file_is_an_error(path: str, problems_of: Problems) -> None:
    """Commands of entry points, and what installers write into .dist-info, are files."""
    wheel = make_wheel(files={path: "x"}, entry_points={"console_scripts": {"demo": "demo:main"}})
    assert f"'{path}': it lies below a file that an installation writes" in problems_of(wheel)


def test_a_directory_of_one_scheme_that_is_a_file_of_another_is_an_error(problems_of: Problems) -> None:
    """A place that is a file by one scheme and a directory by another is an error."""
    wheel = make_wheel(files={"demo/a/b.py": "1"}, data={"purelib/demo/a": "2"})
    assert "file and a directory at once" in problems_of(wheel)


def test_a_launcher_gives_way_to_its_entry_point(index_of: Index) -> None:
    """A shipped script with the name of an entry point is left out with a warning, as pip does."""
    wheel = make_wheel(data={"scripts/run": "#!python\n"}, entry_points={"console_scripts": {"run": "demo:main"}})
    index = index_of(wheel)
    assert "demo-1.0.data/scripts/run" not in index.files
    assert "entry point makes the command" in index.warnings[0]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("demo/a.py", ("site", "demo/a.py")),
        ("d.data/purelib/a.py", ("site", "a.py")),
        ("d.data/platlib/b/a.py", ("site", "b/a.py")),
        ("d.data/scripts/run", ("scripts", "run")),
        ("d.data/data/share/x", ("data", "share/x")),
    ],
)
def test_installed_paths(path: str, place: tuple[str, str]) -> None:
    """A file's place follows from its scheme; both libraries are one directory."""
    assert installed_path(path, "d.data") == place


def test_directory_members_in_data_escape_nowhere(problems_of: Problems) -> None:
    """A directory member of the .data directory that climbs out is an error like a file's."""
    assert "leaves the archive" in problems_of(make_wheel(members=[Member(name="demo-1.0.data/data/../../x/")]))
