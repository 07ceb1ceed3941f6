"""``nixgen export``: what it writes is installed by uv and pip, and valid where there is a schema."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.pylock import Pylock
from uv import find_uv_bin

from nixgen.targets import default_python
from tests.support.cli import Cli
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel, write_wheel

FLOW = make_wheel("flow", "1.0", {"flow.py": "x = 1\n"}, metadata=["License-Expression: MIT", "Requires-Dist: base"])
BASE = make_wheel(
    "base", "1.0", {"base.py": "x = 1\n"}, metadata=["Classifier: License :: OSI Approved :: BSD License"]
)
CHECKER = make_wheel("checker", "2.0", {"checker.py": "x = 1\n"}, metadata=["Requires-Dist: base"])
LOCAL = make_wheel("local", "3.0", {"local.py": "x = 1\n"})

PROJECT = """
[project]
name = "shop"
version = "7"
dependencies = ["flow", "local"]
[dependency-groups]
dev = ["checker"]
[tool.uv.sources]
local = { path = "wheels/local-3.0-py3-none-any.whl" }
"""


@dataclass(kw_only=True)
class Shop:
    """A locked project, with the server of its wheels."""

    cli: Cli
    server: WheelServer


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Lock it once, with a wheel of an index, one in the project, and a group."""
    directory, cache = tmp_path_factory.mktemp("shop"), tmp_path_factory.mktemp("cache")
    cli = Cli(directory=directory, environment={"UV_CACHE_DIR": str(cache / "uv"), "XDG_CACHE_HOME": str(cache)})
    (directory / "pyproject.toml").write_text(PROJECT)
    write_wheel(directory / "wheels", LOCAL)
    with WheelServer(dict([FLOW, BASE, CHECKER])) as server:
        cli("lock", "--default-index", server.index)
        yield Shop(cli=cli, server=server)


def installed(directory: Path) -> set[str]:
    """Return the modules that were installed into a directory."""
    return {path.stem for path in directory.glob("*.py")}


def test_uv_installs_a_pylock(shop: Shop, tmp_path: Path) -> None:
    """A pylock.toml is valid, holds what is chosen only, and uv installs it from another directory."""
    (shop.cli.directory / "out").mkdir()
    assert "wrote out/pylock.toml" in shop.cli("export", "-o", "out/pylock.toml").stderr
    file = shop.cli.directory / "out" / "pylock.toml"
    lock = Pylock.from_dict(tomllib.loads(file.read_text()))
    assert [str(package.name) for package in lock.packages] == ["base", "checker", "flow", "local"]
    command = [find_uv_bin(), "pip", "install", "--target", str(tmp_path / "to"), "--python-version", default_python()]
    subprocess.run([*command, "--no-index", "-r", str(file)], check=True, capture_output=True, cwd=tmp_path)
    assert installed(tmp_path / "to") == {"base", "checker", "flow", "local"}
    assert "checker" not in shop.cli("export", "--no-default-groups").stdout


def test_pip_installs_requirements_with_their_hashes(shop: Shop, tmp_path: Path) -> None:
    """With --require-hashes pip installs what is written, and refuses it where a hash is another."""
    shop.cli("export", "--format", "requirements", "-o", "pinned.txt", "--quiet")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--isolated", "--no-cache-dir"]
    pip += ["--require-hashes", "--index-url", shop.server.index, "--target", str(tmp_path / "to"), "-r", "pinned.txt"]
    subprocess.run(pip, check=True, capture_output=True, cwd=shop.cli.directory)
    assert installed(tmp_path / "to") == {"base", "checker", "flow", "local"}
    file = shop.cli.directory / "pinned.txt"
    file.write_text(re.sub(r"(?<=sha256:)[0-9a-f]{8}", "00000000", file.read_text(), count=1))
    refused = subprocess.run(pip, check=False, capture_output=True, text=True, cwd=shop.cli.directory)
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    without = shop.cli("export", "-f", "requirements", "--no-hashes").stdout.splitlines()
    assert without[1:] == ["base==1.0", "checker==2.0", "flow==1.0", "./wheels/local-3.0-py3-none-any.whl"]


def test_the_bill_of_materials_is_valid(shop: Shop) -> None:
    """The bill fits CycloneDX's own schema, is the same each time, and has hashes, licences and edges."""
    text = shop.cli("export", "--format", "cyclonedx").stdout
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert shop.cli("export", "--format", "cyclonedx").stdout == text
    bill = json.loads(text)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"] | {"bom-ref": ""} == {
        "type": "application",
        "bom-ref": "",
        "name": "shop",
        "version": "7",
    }
    components = {one["name"]: one for one in bill["components"]}
    assert components["flow"]["licenses"] == [{"expression": "MIT"}]
    assert components["base"]["licenses"] == [{"license": {"name": "BSD License"}}]
    assert components["flow"]["purl"] == "pkg:pypi/flow@1.0"
    (found,) = components["flow"]["hashes"]
    assert found["alg"] == "SHA-256" and len(found["content"]) == 64
    edges = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    assert edges["pkg:pypi/flow@1.0"] == ["pkg:pypi/base@1.0"]
    assert len(edges[bill["metadata"]["component"]["bom-ref"]]) == 3


def test_a_lock_that_would_become_the_input_is_noted(shop: Shop) -> None:
    """A pylock.toml in the project's directory would decide what is locked next, and that is said."""
    assert "takes pylock.toml as its input" in shop.cli("export", "-o", "pylock.toml").stderr
    (shop.cli.directory / "pylock.toml").unlink()


def test_an_option_of_another_format_is_refused(shop: Shop) -> None:
    """Hashes are left out of requirements only."""
    assert "--no-hashes is for requirements" in shop.cli("export", "--no-hashes", code=2).stderr
