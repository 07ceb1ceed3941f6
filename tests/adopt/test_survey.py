"""``nixgen.adopt.survey``: the rules of placement say of an installed file what they say of it in a build."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from nixgen.adopt.environment import Environment
from nixgen.adopt.survey import survey
from nixgen.errors import InputError
from nixgen.store import Store
from tests.builders.conftest import Workbench
from tests.support.elf import make_elf
from tests.support.environments import make_environment
from tests.support.interpreters import interpreters
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

RESOLVES = "from pathlib import Path\nHERE = Path(__file__).resolve()\n"

#: A file for each rule, and some that none is for.
FILES = {
    "demo/__init__.py": "",
    "demo/plain.py": "x = 1\n",
    "demo/finds.py": RESOLVES,
    "demo/names.py": "HERE = __file__\n",
    "demo/asks.py": "import os\nfrom .names import HERE\nREAL = os.path.realpath(HERE)\n",
    "demo/programs/run.py": "import beside\nif __name__ == '__main__':\n    beside.main()\n",
    "demo/programs/beside.py": "def main(): pass\n",
    "demo/tool": "#!/bin/sh\n",
    "demo/web/static/app.js": "let x\n",
    "demo/web/static/page.html": "<html>\n",
    "demo/node/package.json": '{"main": "index.js"}\n',
    "demo/node/index.js": "exports.x = 1\n",
    "demo/native/load.py": "import os\nfrom importlib.util import spec_from_file_location\nos.path.realpath('x')\n",
    "demo/native/module.so": make_elf(run_path="$ORIGIN"),
    "demo/native/library.so": make_elf(soname="library.so"),
    "single.py": "x = 1\n",
}


def wheel() -> tuple[str, bytes]:
    return make_wheel("demo", files=FILES, data={"data/share/jupyter/x.js": "let y\n"}, executable=["demo/tool"])


def stays(directory: Path, store: Store) -> dict[str, list[str]]:
    found = survey(Environment.find(directory), store, {}, add=True)
    return {path: sorted(reasons) for path, (reasons, _) in found.stays.items()}


def test_the_same_files_stay_as_are_copies_in_a_tree(store: Store, tmp_path: Path) -> None:
    """What a tree of the wheel has as copies, and why, is what stays in an environment with the wheel."""
    tree = Workbench(tmp_path).tree(wheel())
    copies = json.loads((tree / "nix-support/nixgen.json").read_text())["copies"]
    expected = {path: sorted(reasons) for path, reasons in copies.items() if (tree / path).stat().st_size}
    assert len({reason for reasons in expected.values() for reason in reasons}) >= 6
    assert stays(make_environment(tmp_path / "env", wheel()), store) == expected


@pytest.mark.parametrize("version", interpreters())
def test_every_python_judges(version: str, store: Store, tmp_path: Path) -> None:
    """The environment's own Python runs the rules, from 3.8 on."""
    python = interpreters()[version]
    found = stays(make_environment(tmp_path / "env", wheel(), python=python), store)
    assert found[f"lib/python{version}/site-packages/demo/finds.py"] == ["resolves-itself"]


def test_a_python_that_does_not_run(store: Store, tmp_path: Path) -> None:
    """A dangling interpreter, and one that fails, are errors that name it."""
    directory = make_environment(tmp_path / "env", wheel())
    python = directory / "bin/python"
    python.unlink()
    python.symlink_to("/nonexistent/python")
    with pytest.raises(InputError, match=r"does not run: No such file(.|\n)*bin/python"):
        stays(directory, store)
    python.unlink()
    python.write_text("#!/bin/sh\necho too old >&2; exit 3\n")
    python.chmod(0o755)
    with pytest.raises(InputError, match="does not run: too old"):
        stays(directory, store)


def test_a_python_that_never_answers(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a bounded time, which grows with the files there are; its children do not hold anybody up either."""
    monkeypatch.setattr("nixgen.adopt.survey._SECONDS", 0.5)
    directory = make_environment(tmp_path / "env", wheel())
    python = directory / "bin/python"
    python.unlink()
    python.write_text("#!/bin/sh\nsleep 30 & sleep 30\n")
    python.chmod(0o755)
    began = time.monotonic()
    with pytest.raises(InputError, match=r"does not run: it has not answered for 1 seconds(.|\n)*bin/python"):
        stays(directory, store)
    assert time.monotonic() - began < 10


def test_nothing_is_written_beside_the_rules(store: Store, tmp_path: Path) -> None:
    """The library is shipped as it lies in the checkout."""
    stays(make_environment(tmp_path / "env", wheel()), store)
    status = subprocess.run(["git", "status", "--porcelain", "--ignored", "nix"], capture_output=True, text=True)
    assert "__pycache__" not in status.stdout
