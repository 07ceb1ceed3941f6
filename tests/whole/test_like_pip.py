"""The environment shows tools what a virtual environment made by pip shows them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpus.files import differences
from tests.support.mounts import unmount_below
from tests.support.owner import as_root
from tests.whole.conftest import Built

pytestmark = [pytest.mark.nix, pytest.mark.registry]

#: What the standard library says of every distribution: names, files, commands.
VIEW = """
import importlib.metadata as metadata, json
view = {}
for distribution in metadata.distributions():
    view[distribution.metadata["Name"].lower()] = {
        "version": distribution.version,
        "entry points": sorted(f"{e.group}: {e.name} = {e.value}" for e in distribution.entry_points),
        "requires": distribution.requires,
        "top level": distribution.read_text("top_level.txt"),
        "files": sorted(str(f) for f in distribution.files),
        "missing": sorted(str(f) for f in distribution.files if not f.locate().exists()),
    }
print(json.dumps(view))
"""

#: What pip's environment has beside the example: pip itself, and what venv brings.
PIPS_OWN = re.compile(
    r"(bin/pip|site-packages/(pip|setuptools|pkg_resources|_distutils_hack|distutils-precedence))|/(0-|_)?nixgen"
)

#: pip's own marks of an installation that was asked for by name, and itself.
ONLY_PIP = ("REQUESTED", "direct_url.json")


def _run(*command: str | Path, **environment: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment or None).stdout


def _view(python: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_run(python, "-c", VIEW))
    for name in ("pip", "setuptools"):
        found.pop(name, None)
    for distribution in found.values():
        distribution["files"] = [path for path in distribution["files"] if not path.endswith(ONLY_PIP)]
    return found


def test_importlib_metadata(built: Built, pip_venv: Path) -> None:
    """Versions, entry points, requirements and the files of every distribution are those of pip's environment."""
    ours, theirs = _view(built.result / "bin" / "python"), _view(pip_venv / "bin" / "python")
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        assert ours[name] == expected, name


def test_commands(built: Built, pip_venv: Path) -> None:
    """``bin`` has the commands that pip makes."""
    own = {"activate.csh", "Activate.ps1", "pip", "pip3", "pip3.11"}
    ours = {path.name for path in (built.result / "bin").iterdir()}
    theirs = {path.name for path in (pip_venv / "bin").iterdir()}
    assert theirs - own == ours - {"nixgen-venv"}
    for command in ("flask", "django-admin", "f2py"):
        arguments = ["--version"] if command != "f2py" else ["-v"]
        assert _run(built.result / "bin" / command, *arguments) == _run(pip_venv / "bin" / command, *arguments)


def test_pip_and_uv_list_the_packages(built: Built, pip_venv: Path) -> None:
    """``pip list``, ``pip check``, ``uv pip list`` and ``uv pip check`` see what they see in pip's environment."""
    uv = [Path(sys.executable).parent / "uv", "pip"]
    pip = [pip_venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]

    def listed(text: str) -> dict[str, str]:
        entries = {entry["name"].lower(): entry["version"] for entry in json.loads(text)}
        return {name: version for name, version in entries.items() if name not in ("pip", "setuptools")}

    expected = listed(_run(*pip, "list", "--format", "json"))
    assert len(expected) > 15
    ours = built.result / "bin" / "python"
    assert listed(_run(*pip, "--python", ours, "list", "--format", "json")) == expected
    assert listed(_run(*uv, "list", "--format", "json", "--python", built.result)) == expected
    assert "No broken requirements found" in _run(*pip, "--python", ours, "check")
    _run(*uv, "check", "--python", built.result)


#: What Python says of its paths.
PATHS = (
    "import site, sys, sysconfig, json; print(json.dumps([sys.prefix, sys.base_prefix, sys.path[1:],"
    " site.getsitepackages(), sysconfig.get_paths(), sys.executable, sys.flags.no_site]))"
)


def _paths(environment: Path) -> Any:
    return json.loads(_run(environment / "bin" / "python", "-c", PATHS).replace(str(environment), "ENV"))


def test_it_is_a_virtual_environment(built: Built, pip_venv: Path) -> None:
    """Prefixes, paths and schemes are those of a virtual environment around the same Python."""
    assert _paths(built.result) == _paths(pip_venv)


@as_root
@pytest.mark.parametrize("built", ["distribution"], indirect=True)
def test_mounted(built: Built, pip_venv: Path, tmp_path: Path) -> None:
    """Mounted, every file is as pip installs it: name, bytes, mode, no link; and so are paths, metadata, commands."""
    mounted = tmp_path / "mounted"
    places = {f"NIXGEN_{name}_DIR": str(tmp_path / name) for name in ("STATE", "RUN")}
    cli = replace(built.cli, environment={**built.nix.env, **places})
    cli("venv", "--mounted", str(mounted))
    try:
        found = differences(pip_venv, mounted)
        assert [line for line in found if not PIPS_OWN.search(line)] == []
        assert _paths(mounted) == _paths(pip_venv)
        assert _view(mounted / "bin" / "python") == _view(pip_venv / "bin" / "python")
        for command in ("flask", "django-admin"):
            assert _run(mounted / "bin" / command, "--version") == _run(pip_venv / "bin" / command, "--version")
    finally:
        unmount_below(tmp_path)


def test_a_link_to_a_launcher_runs_the_python_beside_it(built: Built, tmp_path: Path) -> None:
    """A link to a command in another virtual environment's bin runs that environment's Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    site = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    (site / "flask").mkdir()
    (site / "flask" / "__init__.py").write_text("")
    (site / "flask" / "cli.py").write_text("import sys\ndef main(): print(sys.prefix)\n")
    (tmp_path / "venv" / "bin" / "flask").symlink_to(built.result / "bin" / "flask")
    assert _run(tmp_path / "venv" / "bin" / "flask").strip() == str(tmp_path / "venv")


def test_bytecode_is_there_and_used(built: Built) -> None:
    """Modules are loaded from the bytecode of the trees, and tracebacks show the environment's path."""
    code = (
        "import flask, importlib.util, json; c = flask.__cached__; flags = open(c, 'rb').read(8)[4:];"
        " print(json.dumps([c, flags.hex(), flask.app.Flask.__init__.__code__.co_filename]))"
    )
    cached, flags, filename = json.loads(_run(built.result / "bin" / "python", "-c", code))
    assert cached.startswith(str(built.result)) and flags == "00000000"
    assert filename == str(built.result / "lib/python3.11/site-packages/flask/app.py")
    said = subprocess.run(
        [built.result / "bin" / "python", "-v", "-c", "import numpy, pandas, django"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    assert "site-packages/pandas/__pycache__/__init__.cpython-311.pyc" in said
    assert not [line for line in said.splitlines() if "code object from" in line and "/site-packages/" in line
                and ".pyc" not in line]  # fmt: skip
