"""One wheel, installed."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import posixpath
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import layout
import processes
import pytest
import tree as tree_builder

from tests.builders.conftest import INTERPRETER, Workbench, listing, manifest_of, record_of, site
from tests.support.elf import make_elf
from tests.support.wheels import make_wheel, write_wheel

Run = Callable[..., str]

#: A wheel with something of everything.
RICH = make_wheel(
    "demo-pkg",
    files={
        "demo/__init__.py": "def main():\n    print('ran')\n",
        "demo/broken.py": "print 'old'\n",
        "demo/data.txt": "text",
        "demo/empty.txt": "",
        "demo/sub/__init__.py": "",
        "demo/sub/resolving.py": "import os\nHERE = os.path.realpath(__file__)\n",
        "demo/odd, name.txt": "1",
        "demo/library.so": make_elf(soname="library.so"),
        "demo/bin/program": "#!/bin/sh\necho program\n",
        "tool.pth": "import sys\n",
        "top.py": "x = 1\n",
    },
    entry_points={"console_scripts": {"tool": "demo:main"}, "gui_scripts": {"window": "demo:main"}, "demo": {"a": "b"}},
    data={
        "scripts/script": "#!python\nprint('script')\n",
        "scripts/shell": "#!/bin/sh\necho shell\n",
        "scripts/elf": make_elf(interpreter="/lib/ld.so"),
        "headers/demo.h": "#define X 1\n",
        "data/share/doc/demo.txt": "doc",
        "purelib/pure.py": "x = 2\n",
        "platlib/plat/__init__.py": "x = 3\n",
    },
    dist_info={"licenses/LICENSE": "free", "top_level.txt": "demo\n"},
    executable=["demo/bin/program", "demo/library.so", "demo/data.txt"],
)


def test_record_is_what_pip_writes(workbench: Workbench, pip: Sequence[str], run: Run, tmp_path: Path) -> None:
    """RECORD has the paths and hashes that pip writes, but for what says who installed, and texts of launchers."""
    venv = tmp_path / "venv"
    run(INTERPRETER, "-m", "venv", "--without-pip", venv)
    run(*pip, "--python", venv / "bin/python", "install", "--no-deps", "--no-index", write_wheel(tmp_path, RICH))
    ours, theirs = record_of(workbench.tree(RICH)), record_of(venv)
    info = "demo_pkg-1.0.dist-info"
    assert ours.keys() == theirs.keys() - {f"{info}/REQUESTED", f"{info}/direct_url.json"}
    differing = {path for path in ours if ours[path] != theirs[path]}
    assert differing == {f"{info}/INSTALLER", *(f"../../../bin/{name}" for name in ("tool", "window", "script"))}


def test_record_is_true(workbench: Workbench) -> None:
    """Every row of RECORD is a file of the tree with that hash and size, and every file has a row."""
    tree = workbench.tree(RICH)
    rows = record_of(tree)
    for path, (digest, size) in rows.items():
        content = (site(tree) / path).read_bytes()
        if digest:
            expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            assert (digest, size) == (f"sha256={expected}", str(len(content))), path
    unhashed = {path for path, (digest, _) in rows.items() if not digest}
    assert {path for path in unhashed if not path.endswith(".pyc")} == {"demo_pkg-1.0.dist-info/RECORD"}
    known = {posixpath.normpath(posixpath.join(layout.site_packages(), path)) for path in rows}
    assert known == set(listing(tree)) - {"nix-support/nixgen.json"}


def test_files_are_links_to_leaves(workbench: Workbench) -> None:
    """A file with nothing against it is a link to its leaf; an empty one is made, not linked."""
    tree = workbench.tree(RICH)
    for name in ("demo/data.txt", "demo/library.so", "tool.pth", "top.py", "pure.py"):
        path = site(tree) / name
        assert path.is_symlink(), name
        assert path.readlink().parent == workbench.store
    assert not (site(tree) / "demo/empty.txt").is_symlink()
    assert (site(tree) / "demo/empty.txt").read_bytes() == b""


def test_copies_have_reasons(workbench: Workbench) -> None:
    """The manifest says of every copy why it is one, and nothing else is a copy."""
    tree = workbench.tree(RICH)
    prefix = layout.site_packages()
    assert manifest_of(tree)["copies"] == {
        f"{prefix}/demo/__init__.py": ["package"],
        f"{prefix}/plat/__init__.py": ["package"],
        f"{prefix}/demo/sub/resolving.py": ["resolves-itself"],
        f"{prefix}/demo/bin/program": ["executable"],
        "bin/script": ["executable"],
        "bin/shell": ["executable"],
        "bin/elf": ["executable"],
    }
    assert manifest_of(tree)["launchers"] == ["bin/script", "bin/tool", "bin/window"]
    assert (manifest_of(tree)["distribution"], manifest_of(tree)["version"]) == ("demo-pkg", "1.0")
    assert manifest_of(tree)["descend"] == []


#: A program that runs, large enough to be worth a store path of its own.
LARGE = Path("/bin/echo").read_bytes() + bytes(1 << 20)
#: The same with a run path, which would follow the link.
LOOKING = make_elf(interpreter="/lib/ld.so", run_path="$ORIGIN/lib") + bytes(1 << 20)


def test_the_manifest_is_not_a_wheels(workbench: Workbench) -> None:
    """A wheel that brings a file in the manifest's directory is refused, and nothing is written through a link."""
    wheel = make_wheel(data={"data/nix-support/nixgen.json": "{}"})
    with pytest.raises(SystemExit, match=r"keeps nix-support for itself.*data/nix-support/nixgen\.json"):
        workbench.tree(wheel)
    assert "{}" in [path.read_text() for path in workbench.store.glob("*-file.json")]


def test_a_program_that_stands_alone_is_shared(workbench: Workbench) -> None:
    """It is a link to a store path of its own that can be run, is no copy, and the manifest says so."""
    wheel = make_wheel(files={"demo/run": LARGE}, data={"scripts/tool": LARGE}, executable=["demo/run"])
    tree = workbench.tree(wheel)
    inside = f"{layout.site_packages()}/demo/run"
    assert manifest_of(tree)["programs"] == [inside]
    assert inside not in manifest_of(tree)["copies"]
    program = tree / inside
    assert program.is_symlink()
    assert program.resolve().parent == workbench.store
    assert subprocess.run([program, "ran"], capture_output=True, text=True, check=True).stdout == "ran\n"
    # The archive does not mark this one, so nobody could know before its content was read.
    assert manifest_of(tree)["copies"]["bin/tool"] == ["executable"]


@pytest.mark.parametrize(
    ("content", "overrides", "reasons"),
    [
        (LOOKING, None, ["executable"]),
        (b"#!/bin/sh\n" + b"#" * (1 << 20), None, ["executable"]),
        (LARGE, {"copy": ["demo/run"]}, ["executable", "override"]),
    ],
    ids=["run path", "script", "override"],
)
def test_other_programs_are_copies(
    content: bytes, overrides: dict[str, list[str]] | None, reasons: list[str], workbench: Workbench
) -> None:
    """What finds something by its own path, and what the user says, is a copy however large."""
    tree = workbench.tree(make_wheel(files={"demo/run": content}, executable=["demo/run"]), overrides)
    inside = f"{layout.site_packages()}/demo/run"
    assert manifest_of(tree)["programs"] == []
    assert manifest_of(tree)["copies"][inside] == reasons
    assert not (tree / inside).is_symlink()


def test_permissions(workbench: Workbench) -> None:
    """Programs are executable, other copies are not, and no copy can be written."""
    tree = workbench.tree(RICH)
    modes = {path: (tree / path).stat().st_mode & 0o777 for path in manifest_of(tree)["copies"]}
    assert {path.removeprefix(f"{layout.site_packages()}/") for path, mode in modes.items() if mode == 0o444} == {
        "demo/__init__.py",
        "demo/sub/resolving.py",
        "plat/__init__.py",
    }
    assert set(modes.values()) == {0o444, 0o555}
    assert all((tree / "bin" / name).stat().st_mode & 0o777 == 0o555 for name in ("tool", "window"))


def test_programs_stay_as_they_are(workbench: Workbench, run: Run) -> None:
    """ELF and shell scripts keep their bytes and run."""
    tree = workbench.tree(RICH)
    assert (tree / "bin/elf").read_bytes() == make_elf(interpreter="/lib/ld.so")
    assert run(tree / "bin/shell") == "shell\n"
    assert run(site(tree) / "demo/bin/program") == "program\n"


def test_schemes_have_their_places(workbench: Workbench) -> None:
    """Headers, data and both libraries of ``.data`` are installed, and no ``.data`` directory is left."""
    tree = workbench.tree(RICH)
    major, minor = sys.version_info[:2]
    assert (tree / f"include/site/python{major}.{minor}/demo-pkg/demo.h").read_text() == "#define X 1\n"
    assert (tree / "share/doc/demo.txt").read_text() == "doc"
    assert (site(tree) / "pure.py").read_text() == "x = 2\n"
    assert (site(tree) / "plat/__init__.py").read_text() == "x = 3\n"
    assert not list(tree.rglob("*.data"))


def test_bytecode_stands_beside_sources(workbench: Workbench) -> None:
    """Every source that compiles has bytecode, one that does not has none, and a script has none."""
    tree = workbench.tree(RICH)
    sources = [path for path in site(tree).rglob("*.py") if path.name != "broken.py"]
    expected = {importlib.util.cache_from_source(str(path)) for path in sources}
    assert {str(path) for path in tree.rglob("*.pyc")} == expected
    assert len(expected) == 6


def test_a_tree_is_the_same_with_many_processes(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large wheel, placed by several processes, each with as much to compile, gives the same files as by one."""
    files = {f"demo/m{number}.py": "x = 1\n" * number for number in range(120)}
    given: list[list[str]] = []

    def in_processes(function: Callable[..., object], files: list[Any], workers: int) -> object:
        given.append([file.path for file in files if file.path.startswith("demo/m")])
        return processes.in_processes(function, files, workers)

    monkeypatch.setattr("tree.in_processes", in_processes)
    wheel = make_wheel(files={"demo/__init__.py": "", **files})
    contents = []
    for cores in ("1", "4"):
        monkeypatch.setenv("NIX_BUILD_CORES", cores)
        tree = workbench.tree(wheel)
        contents.append({path: (tree / path).read_bytes() for path in listing(tree)})
    assert contents[0] == contents[1]
    assert len([path for path in contents[0] if path.endswith(".pyc")]) == 121
    assert given[1] == [f"demo/m{number}.py" for number in reversed(range(120))]


def test_releases_share_bytecode(workbench: Workbench) -> None:
    """A module that a release leaves as it was has the same bytecode in its tree: the store keeps it once."""
    files = {"demo/__init__.py": "def f():\n    return lambda: 1\n"}
    first, second = (workbench.tree(make_wheel(version=version, files=files)) for version in ("1.0", "2.0"))
    assert first != second
    (one,), (other,) = (list(tree.rglob("*.pyc")) for tree in (first, second))
    assert one.read_bytes() == other.read_bytes()


def test_bytecode_of_the_wheel_gives_way(workbench: Workbench, run: Run) -> None:
    """Bytecode that a wheel brings for a source is replaced by this Python's, and RECORD has no hash of it."""
    name = importlib.util.cache_from_source("demo/__init__.py")
    wheel = make_wheel(files={"demo/__init__.py": "answer = 42\n", name: b"junk", "demo/__pycache__/x.pyc": b"kept"})
    env = workbench.env(wheel)
    assert run(env / "bin/python", "-c", "import demo; print(demo.answer, demo.__cached__)").startswith("42 ")
    assert (site(env) / name).read_bytes()[:4] == importlib.util.MAGIC_NUMBER
    assert (site(env) / "demo/__pycache__/x.pyc").read_bytes() == b"kept"
    assert record_of(env)[name] == ("", "")


def test_an_installer_of_the_wheel_gives_way(workbench: Workbench) -> None:
    """A wheel packed from an installed distribution brings INSTALLER; the environment says who really installed."""
    tree = workbench.tree(make_wheel(dist_info={"INSTALLER": "somebody\n"}))
    path = site(tree) / "demo-1.0.dist-info/INSTALLER"
    assert path.read_text() == "nixgen\n"
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"nixgen\n").digest()).decode().rstrip("=")
    assert record_of(tree)["demo-1.0.dist-info/INSTALLER"] == (f"sha256={digest}", "7")


def test_where_a_wheel_comes_from_is_written_down(workbench: Workbench) -> None:
    """What no index gave has direct_url.json (PEP 610), in place of any of the wheel, and its row in RECORD."""
    wheel = make_wheel(dist_info={"direct_url.json": "{}"})
    origin = {"url": "https://example.org/demo.whl", "archive_info": {}}
    out = workbench.store / "origin"
    tree_builder.build({**workbench.attributes(wheel), "origin": origin}, str(out))
    content = (site(out) / "demo-1.0.dist-info/direct_url.json").read_bytes()
    assert json.loads(content) == origin
    assert record_of(out)["demo-1.0.dist-info/direct_url.json"][1] == str(len(content))


def test_an_entry_point_wins_over_a_script_of_its_name(workbench: Workbench, run: Run) -> None:
    """A wheel with a script and an entry point of one name gets the entry point's command, as with pip."""
    wheel = make_wheel(
        files={"demo.py": "def main():\n    print('entry point')\n"},
        entry_points={"console_scripts": {"tool": "demo:main"}},
        data={"scripts/tool": "#!python\nprint('script')\n"},
    )
    env = workbench.env(wheel)
    assert run(env / "bin/tool") == "entry point\n"
    content = (env / "bin/tool").read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    assert record_of(env)["../../../bin/tool"] == (f"sha256={digest}", str(len(content)))


def test_two_files_for_one_place_stop_the_build(workbench: Workbench) -> None:
    """A wheel that puts different files at one place is refused with both; equal files are one."""
    wheel = make_wheel(files={"demo.py": "x = 1\n"}, data={"purelib/demo.py": "x = 2\n"})
    with pytest.raises(SystemExit, match=r"demo-1\.0\.data/purelib/demo\.py and demo\.py at lib/"):
        workbench.tree(wheel)
    tree = workbench.tree(make_wheel(files={"demo.py": "x = 1\n"}, data={"purelib/demo.py": "x = 1\n"}))
    assert record_of(tree)["demo.py"][1] == "6"


@pytest.mark.parametrize(
    ("path", "run_path", "descends"),
    [
        ("demo/lib/liba.so", "$ORIGIN/../../other/lib", True),
        ("demo/liba.so", "$ORIGIN/../other", True),
        ("demo/liba.so", "${ORIGIN}/../other", True),
        ("demo/liba.so", "/opt/lib:$ORIGIN:$ORIGIN/../other", True),
        ("demo/liba.so", "$ORIGIN", False),
        ("demo/liba.so", "$ORIGIN/../demo.libs", False),
        ("demo/sub/deep/liba.so", "$ORIGIN/../../../demo.libs", False),
        ("demo/liba.so", "$ORIGIN/.", False),
        ("demo/liba.so", "/opt/other", False),
        ("demo/liba.so", "$LIB/other", False),
    ],
)
def test_descend_names_libraries_that_leave_their_wheel(
    workbench: Workbench, path: str, run_path: str, descends: bool
) -> None:
    """Only a run path that leads from the library out of the wheel asks for a real directory."""
    wheel = make_wheel(files={path: make_elf(run_path=run_path), "demo.libs/libz.so": make_elf(soname="libz.so")})
    expected = [f"{layout.site_packages()}/{posixpath.dirname(path)}"] if descends else []
    assert manifest_of(workbench.tree(wheel))["descend"] == expected


ODD = ["${builtins.throw x}.py", "$(touch pwned).txt", 'it\'s "quoted".txt', "größe.py", "a b.txt", "-rf", "#x", "%s{}"]


def test_odd_names_are_files_like_others(workbench: Workbench, run: Run, tmp_path: Path) -> None:
    """Names with the signs of Nix, shells and formats are files, readable, with their rows in RECORD."""
    wheel = make_wheel(files={"demo/__init__.py": "", **{f"demo/{name}": f"x = {name!r}\n" for name in ODD}})
    env = workbench.env(wheel)
    assert {name: (site(env) / "demo" / name).read_text() for name in ODD} == {name: f"x = {name!r}\n" for name in ODD}
    assert all(f"demo/{name}" in record_of(env) for name in ODD)
    assert run(env / "bin/python", "-X", "utf8", "-c", "import demo.größe as g; print(g.x)") == "größe.py\n"
    assert not list(tmp_path.rglob("pwned"))


def test_a_wheel_without_files_is_a_tree(workbench: Workbench) -> None:
    """A wheel of nothing but metadata (a metapackage) has a tree too."""
    assert record_of(workbench.tree(make_wheel(files={}))).keys() == {
        f"demo-1.0.dist-info/{name}" for name in ("INSTALLER", "METADATA", "RECORD", "WHEEL")
    }


def test_rows_that_record_lacks_are_empty(workbench: Workbench) -> None:
    """A file without a row in the wheel's RECORD (a signature of it) is installed with an empty row."""

    def without_top(rows: list[Any]) -> list[Any]:
        return [row for row in rows if row[0] != "top.py"]

    tree = workbench.tree(make_wheel(files={"top.py": "x = 1\n"}, record=without_top))
    assert record_of(tree)["top.py"] == ("", "")


def test_leaves_are_left_as_they_are(workbench: Workbench) -> None:
    """Making a tree changes no leaf: neither content nor permissions nor time."""
    attributes = workbench.attributes(RICH)
    before = {path: (path.read_bytes(), path.stat().st_mode) for path in workbench.store.iterdir()}
    workbench.tree(RICH)
    assert attributes == workbench.attributes(RICH)
    assert {path: (path.read_bytes(), path.stat().st_mode) for path in before} == before
    assert all(os.stat(path).st_mtime == 1 for path in before)  # noqa: PTH116


def test_record_is_sorted_and_quoted(workbench: Workbench) -> None:
    """RECORD's rows are sorted, so that a tree does not depend on the archive's order; a comma is quoted."""
    tree = workbench.tree(RICH)
    text = (site(tree) / "demo_pkg-1.0.dist-info/RECORD").read_text(encoding="utf-8")
    paths = list(record_of(tree))
    full = [posixpath.normpath(posixpath.join(layout.site_packages(), path)) for path in paths]
    assert full == sorted(full)
    assert '\n"demo/odd, name.txt",sha256=' in text


def test_pip_has_the_command_of_its_version(workbench: Workbench) -> None:
    """pip's wheel brings pip and pip3, and an installer makes pip3.11 as well; a namesake command gets no other."""
    points = {"console_scripts": {"pip": "pip:main", "pip3": "pip:main"}}
    version = "pip{}.{}".format(*sys.version_info)
    pip = workbench.tree(make_wheel("pip", "1.0", {"pip.py": "def main(): pass\n"}, entry_points=points))
    assert {path.name for path in (pip / "bin").iterdir()} == {"pip", "pip3", version}
    assert f"../../../bin/{version}" in next(pip.rglob("RECORD")).read_text()
    other = workbench.tree(make_wheel("other", "1.0", {"pip.py": "def main(): pass\n"}, entry_points=points))
    assert {path.name for path in (other / "bin").iterdir()} == {"pip", "pip3"}
