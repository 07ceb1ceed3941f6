"""The ingest ``fixed``, with every version of Nix: a derivation for each leaf, and nothing built while evaluating."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nixgen.leaf import leaf_path
from tests.nix.conftest import INTERPRETER, PYTHON
from tests.nix.test_wheel import ODD
from tests.support.locks import (
    Json,
    Wheel,
    change_index,
    index_bytes,
    lock_json,
    lock_wheels,
    package_json,
    target_json,
    wheel_json,
    write_lock,
)
from tests.support.nix import LIBRARY, NixFailedError, NixInstallation, build, derivation, instantiate
from tests.support.wheels import make_wheel, nix_sha256
from tests.whole.conftest import SUITES, nix_of

pytestmark = pytest.mark.nix

ARGUMENTS = (
    "{ lock = nixgen.readLock (/. + file); system = builtins.currentSystem; python = pythonPath; ingest = way; }"
)
ENV = f"nixgen.env ({ARGUMENTS})"
TREE = f"(nixgen.trees ({ARGUMENTS})).one"

#: In KiB. A chain of 256 leaves takes less than 50 MB with every version; 256 side by side take 350 MB with 2.34.
MEMORY = 120 << 10

#: Runs a command, and prints the largest memory of one of its processes in KiB.
WATCH = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
    " print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)

ONE = make_wheel(
    "one",
    files={
        **{name: content for name, content in ODD.items() if "\n" not in name},
        "one/__init__.py": "import sys\ndef main():\n    print('one', *sys.argv[1:])\n",
        "one/100%?#[x].txt": "6",
        "one/same.py": "same = 1\n",
        "one/tool": Path("/bin/echo").read_bytes() + bytes(1 << 20),
    },
    entry_points={"console_scripts": {"run-one": "one:main"}},
    executable=["one/tool"],
)
TWO = make_wheel("two", files={"two/__init__.py": "", "two/same.py": "same = 1\n"})


@pytest.fixture(params=["distribution", *SUITES])
def nix(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NixInstallation]:
    """Each version of Nix, with an empty store, where nothing may be built while evaluating."""
    made = nix_of(request.param, tmp_path / "nix")
    yield made
    made.make_removable()


def _strict(nix: NixInstallation) -> dict[str, str]:
    return {**nix.env, "NIX_CONFIG": nix.env["NIX_CONFIG"] + "\nallow-import-from-derivation = false\n"}


def _values(file: Path, way: str = "fixed") -> dict[str, Any]:
    return {"file": str(file), "pythonPath": INTERPRETER, "way": way}


def _query(nix: NixInstallation, what: str, path: Path | str) -> set[str]:
    command = ["nix-store", "--query", what, path]
    return set(subprocess.run(command, env=nix.env, capture_output=True, text=True, check=True).stdout.split())


def _leaves(wheels: Iterable[Wheel], store: Path) -> set[str]:
    """Return the paths of the leaves of some wheels, computed without Nix."""
    found = set()

    def walk(directory: Json) -> None:
        for name, entry in directory.items():
            if isinstance(entry, dict):
                walk(entry)
            elif digest := entry[0] if isinstance(entry, list) else entry:
                found.add(leaf_path(name, digest, str(store)))

    for wheel in wheels:
        walk(json.loads(index_bytes(wheel))["files"])
    return found


def _vendored(file: Path, *wheels: Wheel) -> Path:
    for wheel in wheels:
        change_index(file, wheel, lambda index: None)
    return file


def _standing_alone(index: Json) -> None:
    index["files"]["one"]["tool"][2:] = ["x", "alone"]


def _links(tree: Path) -> dict[str, str]:
    return {str(path.relative_to(tree)): str(path.readlink()) for path in tree.rglob("*") if path.is_symlink()}


def test_it_builds_what_the_other_ways_build(nix: NixInstallation, tmp_path: Path) -> None:
    """From an empty store, without builds while evaluating, it makes the same leaves; trees hold and link the same."""
    file = _vendored(lock_wheels(tmp_path / "project", ONE, TWO, python=PYTHON), TWO)
    change_index(file, ONE, _standing_alone)
    env = build(ENV, _strict(nix), **_values(file))
    code = "import one.same, two.same; print(one.same.same + two.same.same)"
    for command, said in (([env / "bin/run-one", "a b"], "one a b\n"), ([env / "bin/python", "-c", code], "2\n")):
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == said
    leaves = _leaves((ONE, TWO), nix.path)
    subprocess.run(["nix-store", "--verify-path", *leaves], env=nix.env, check=True)

    tree = build(TREE, _strict(nix), **_values(file))
    other = build(TREE, nix.env, **_values(file, "wheels"))
    assert other != tree
    # A program that stands alone is a derivation too: the same content at another path.
    (mine,), (theirs,) = ([path for path in _links(at).values() if path.endswith("-tool")] for at in (tree, other))
    assert Path(mine).read_bytes() == Path(theirs).read_bytes()
    assert _links(tree) == {path: to.replace(theirs, mine) for path, to in _links(other).items()}
    held, expected = (_query(nix, "--references", at) for at in (tree, other))
    assert held - {mine, str(tree)} == expected - {theirs, str(other)}
    assert held & leaves


def test_valid_leaves_are_taken_as_they_are(nix: NixInstallation, tmp_path: Path) -> None:
    """Leaves that another way brought are not made again: nothing is fetched and nothing unpacked."""
    file = lock_wheels(tmp_path / "project", ONE, TWO, python=PYTHON)
    build(ENV, nix.env, **_values(file, "wheels"))
    described = {wheel[0]: wheel_json(wheel, url=f"http://127.0.0.1:9/{wheel[0]}") for wheel in (ONE, TWO)}
    lock = lock_json(target_json(PYTHON, [package_json(ONE), package_json(TWO)]), wheels=described)
    env = build(ENV, _strict(nix), **_values(write_lock(tmp_path / "elsewhere", lock)))
    assert subprocess.run([env / "bin/run-one"], capture_output=True, text=True, check=True).stdout == "one\n"


def test_content_that_was_not_promised_is_refused(nix: NixInstallation, tmp_path: Path) -> None:
    """A file that has not the hash of the lock stops the build; its derivation says which file of which wheel it is."""
    file = lock_wheels(tmp_path, TWO, python=PYTHON)
    promised = [nix_sha256(b"promised"), 9]
    change_index(file, TWO, lambda index: index["files"]["two"].update({"same.py": promised}))
    with pytest.raises(NixFailedError, match="hash mismatch in fixed-output derivation") as caught:
        build(ENV, nix.env, **_values(file))
    named = {word.strip("':") for word in str(caught.value).split() if word.strip("':").endswith("-file.py.drv")}
    assert {derivation(path, nix.env)["env"]["member"] for path in named} == {f"{TWO[0]}: two/same.py"}


def test_memory_is_bounded(nix: NixInstallation, tmp_path: Path) -> None:
    """Nix takes little memory for each leaf, although it has all of them before it from the start."""
    wheel = make_wheel("many", files={f"many/{number}.txt": f"content {number}" for number in range(256)})
    drv = instantiate(ENV, nix.env, **_values(_vendored(lock_wheels(tmp_path, wheel, python=PYTHON), wheel)))
    # Of a small process: what is forked counts its parent's memory until it runs something else.
    watched = [sys.executable, "-S", "-c", WATCH, "nix-store", "--realise", drv]
    done = subprocess.run(watched, env=nix.env, capture_output=True, text=True, check=True)
    assert int(done.stdout.splitlines()[-1]) < MEMORY


def test_any_number_of_files_is_evaluated(nix: NixInstallation, tmp_path: Path) -> None:
    """A chain of 20,000 leaves does not take evaluation deeper than its stack."""
    files = {f"{number}.txt": nix_sha256(str(number)) for number in range(20_000)}
    described = wheel_json(TWO, url="http://127.0.0.1:9/two")
    file = write_lock(tmp_path, lock_json(target_json(PYTHON, [package_json(TWO)]), wheels={TWO[0]: described}))
    change_index(file, TWO, lambda index: index.update(files={name: [digest, 1] for name, digest in files.items()}))
    expression = (
        "{ library, file, wheel, python }: let nixgen = import (/. + library); in ((nixgen.sources ''fixed'' {"
        " lock = nixgen.readLock (/. + file); filenames = [ wheel ]; system = ''x86_64-linux'';"
        " interpreter = { path = python; directory = dirOf python; machine = true; }; } wheel).member"
        " ''9.txt'').outPath"
    )
    given = {"library": LIBRARY, "file": file, "wheel": TWO[0], "python": INTERPRETER}
    arguments = [word for name, value in given.items() for word in ("--argstr", name, str(value))]
    found = subprocess.run(
        ["nix-instantiate", "--eval", "--json", "--readonly-mode", "--expr", expression, *arguments],
        env=nix.env,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert json.loads(found) == leaf_path("9.txt", files["9.txt"], str(nix.path))
