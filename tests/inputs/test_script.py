"""Scripts with requirements of their own (PEP 723)."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixgen import inputs
from nixgen.errors import InputError
from nixgen.inputs import Inputs, ResolverOptions, running
from nixgen.targets import Target
from tests.inputs.conftest import AddWheel

LINUX = Target.parse("3.11", "x86_64-linux")

SCRIPT = """#!/usr/bin/env python3
# /// script
# requires-python = ">=3.10"
# dependencies = [
#   "app",
# ]
# ///
import app
"""


def read(directory: Path, *names: str, target: Target = LINUX) -> Inputs:
    """Lock a script from the directory's wheels."""
    options = ResolverOptions(no_index=True, find_links=(str(directory / "wheels"),))
    return inputs.read([directory / name for name in names], targets=[target], base=directory, options=options)


def versions(found: Inputs) -> dict[str, str]:
    """Return what is locked."""
    return {one.name: one.version for one in found.selections[LINUX.key].packages}


@pytest.fixture
def script(add_wheel: AddWheel, tmp_path: Path) -> Path:
    """Write the script, and add the wheels that it needs."""
    add_wheel("app", "1.0", "core")
    add_wheel("core", "1.0")
    path = tmp_path / "tool.py"
    path.write_text(SCRIPT)
    return path


def test_its_requirements(script: Path, tmp_path: Path) -> None:
    """A script is resolved as requirements are."""
    found = read(tmp_path, "tool.py")
    assert versions(found) == {"app": "1.0", "core": "1.0"}
    assert (found.origin, set(found.files)) == ("tool.py", {"tool.py"})


def test_its_lock(script: Path, add_wheel: AddWheel, tmp_path: Path) -> None:
    """The lock beside it decides, and one that is older than the script is an error with the command to run."""
    links = ("--no-index", "--find-links", str(tmp_path / "wheels"))
    running.run(["lock", "--script", "tool.py", *links], cwd=tmp_path)
    add_wheel("core", "2.0")
    found = read(tmp_path, "tool.py")
    assert versions(found) == {"app": "1.0", "core": "1.0"}
    assert set(found.files) == {"tool.py", "tool.py.lock"}
    add_wheel("more", "1.0")
    script.write_text(SCRIPT.replace('"app",', '"app", "more"'))
    with pytest.raises(InputError, match="does not fit") as caught:
        read(tmp_path, "tool.py")
    assert caught.value.todo == "run `uv lock --script tool.py`"


def test_a_python_that_it_is_not_for(script: Path, tmp_path: Path) -> None:
    """Its ``requires-python`` is held against the target."""
    with pytest.raises(InputError, match=r"Python >=3\.10 is needed"):
        read(tmp_path, "tool.py", target=Target.parse("3.9", "x86_64-linux"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import app\n", "does not say which packages"),
        ("# /// script\n# dependencies = []\n", "no whole block"),
        ("# /// script\n# dependencies = [\n# ///\n", "is wrong"),
        (SCRIPT + SCRIPT, "several blocks"),
    ],
)
def test_what_is_no_script(text: str, what: str, tmp_path: Path) -> None:
    """A file without the block, or with a broken one, is an error that names it."""
    (tmp_path / "tool.py").write_text(text)
    with pytest.raises(InputError, match=what) as caught:
        read(tmp_path, "tool.py")
    assert "tool.py" in (caught.value.where or "") and caught.value.todo


def test_a_script_alone_is_pointed_at(script: Path, tmp_path: Path) -> None:
    """Without an input, a script that is there is named with the command."""
    with pytest.raises(InputError, match=r"tool\.py") as caught:
        read(tmp_path)
    assert caught.value.todo == "name it: `nixgen lock tool.py`"
