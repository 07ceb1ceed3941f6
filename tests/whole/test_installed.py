"""nixgen as a user has it: installed by pip into an empty environment, away from any checkout."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.nix import NixInstallation
from tests.whole.conftest import MACHINE_PYTHON, ROOT

pytestmark = [pytest.mark.nix, pytest.mark.registry]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``nixgen`` command of a virtual environment that ``pip install`` of the checkout has filled."""
    directory = tmp_path_factory.mktemp("installed")
    subprocess.run([MACHINE_PYTHON, "-m", "venv", directory / "venv"], check=True)
    pip = [directory / "venv" / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, ROOT], check=True, cwd=directory)
    return directory / "venv" / "bin" / "nixgen"


def test_the_whole_path_outside_the_checkout(installed: Path, nix_store: NixInstallation, tmp_path: Path) -> None:
    """Lock, nix-build, build and run work with real packages where there is no checkout."""
    (tmp_path / "requirements.txt").write_text("flask\npyyaml\n")
    cli = Cli(directory=tmp_path, environment=nix_store.env, program=(str(installed),))
    assert "not downloaded" in cli("lock").stderr
    stock = subprocess.run(
        ["nix-build", "nix"],
        cwd=tmp_path,
        env={**os.environ, **nix_store.env},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert cli("build").stdout.strip() == stock
    code = "import flask, yaml; print(yaml.safe_load('[1, 2]'), flask.Flask('x').name)"
    assert cli("run", "--", "python", "-c", code).stdout == "[1, 2] x\n"


def test_the_library_is_shipped_whole(installed: Path) -> None:
    """The wheel carries every file of nix/, and nothing that is not in it."""
    library = next(installed.parents[1].glob("lib/python*/site-packages/nixgen/nix"))
    shipped = {str(path.relative_to(library)) for path in library.rglob("*") if path.is_file()}
    own = {str(path.relative_to(ROOT / "nix")) for path in (ROOT / "nix").rglob("*") if path.is_file()}
    assert {name for name in shipped if not name.endswith(".pyc")} == {n for n in own if not n.endswith(".pyc")}


def test_what_nixgen_reads_is_shipped(installed: Path) -> None:
    """The wheel carries every template and every setting of a shell, hidden files too."""
    package = next(installed.parents[1].glob("lib/python*/site-packages/nixgen"))
    own = [path for path in (ROOT / "nixgen").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert {".j2", ""} <= {path.suffix for path in own}
    for path in own:
        assert (package / path.relative_to(ROOT / "nixgen")).read_bytes() == path.read_bytes()
