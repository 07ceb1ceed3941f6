"""``nixgen wheelhouse``: the wheels of a lock, from the store where it can give them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import Cli, listing
from tests.support.fetched import WHEELS, away
from tests.support.server import Behaviour, WheelServer

pytestmark = pytest.mark.nix


def skeletons(project: Cli) -> Path:
    """Return where the user's cache has them."""
    return Path(project.environment["XDG_CACHE_HOME"]) / "nixgen" / "skeletons"


def test_the_second_time_takes_no_download(project: Cli, index: WheelServer, tmp_path: Path) -> None:
    """First the index gives the wheels, and their skeletons are kept; then the store does, to the byte."""
    said = project("wheelhouse", tmp_path / "one").stderr
    assert "wrote 2 wheels" in said and "0 put together" in said
    away(index)
    index.requests.clear()
    said = project("wheelhouse", tmp_path / "two").stderr
    assert "2 put together of the store, 0 B downloaded" in said
    assert listing(tmp_path / "one") == listing(tmp_path / "two") == dict(WHEELS)
    assert not index.wheel_requests
    umask = os.umask(0)
    os.umask(umask)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "two").iterdir()}
    assert modes == {0o666 & ~umask}
    done = json.loads(project("wheelhouse", "--json", tmp_path / "two").stdout)
    assert done["there"] == 2 and done["written"] == 0


def test_pip_installs_from_it(project: Cli, index: WheelServer, tmp_path: Path) -> None:
    """``--find-links`` with the hashes of the lock."""
    project("wheelhouse", tmp_path / "first")
    away(index)
    project("wheelhouse", tmp_path / "wheels")
    requirements = tmp_path / "requirements.txt"
    project("export", "--format", "requirements", "-o", requirements)
    words = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--find-links", tmp_path / "wheels"]
    words += ["--require-hashes", "--no-cache-dir", "--target", tmp_path / "target", "-r", requirements]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    subprocess.run(list(map(str, words)), check=True, env={**environment, "PIP_CONFIG_FILE": os.devnull})
    assert (tmp_path / "target" / "other" / "module_7.py").read_text() == "x = 7\n"


def test_what_is_damaged_is_got_anew(project: Cli, index: WheelServer, tmp_path: Path) -> None:
    """A wheel in the directory, and a skeleton, that are not as they should be: named, and replaced."""
    wheels = tmp_path / "wheels"
    project("wheelhouse", wheels)
    (wheels / WHEELS[0][0]).write_bytes(b"nothing")
    (wheels / "mine.txt").write_text("stays")
    one, other = sorted(skeletons(project).iterdir())
    one.write_bytes(other.read_bytes())
    other.write_bytes(b"nothing")
    (wheels / WHEELS[1][0]).unlink()
    said = project("wheelhouse", wheels).stderr
    assert "0 put together" in said and said.count("does not come out of its leaves") == 1
    assert listing(wheels) == {**dict(WHEELS), "mine.txt": b"stays"}
    # Both were made anew on the way.
    assert "2 put together" in project("wheelhouse", tmp_path / "again").stderr
    assert listing(tmp_path / "again") == dict(WHEELS)


def test_without_leaves_the_index_is_asked(project: Cli, index: WheelServer, tmp_path: Path) -> None:
    """What is not in the store comes from the index, and no skeleton is made; a server that lies is an error."""
    empty = {"NIX_STORE_DIR": str(tmp_path / "empty")}
    project("wheelhouse", tmp_path / "wheels", environment=empty)
    assert listing(tmp_path / "wheels") == dict(WHEELS)
    assert not skeletons(project).exists()
    index.behaviour = Behaviour(lie="changed")
    said = project("wheelhouse", tmp_path / "others", environment=empty, code=5).stderr
    assert "expected" in said and "do not use" in said
    assert listing(tmp_path / "others").items() <= dict(WHEELS).items()
    away(index)
    assert "HTTP 404" in project("wheelhouse", tmp_path / "others", environment=empty, code=4).stderr
    assert set(listing(tmp_path / "others")) <= set(dict(WHEELS))


def test_where_a_wheelhouse_cannot_be(project: Cli, tmp_path: Path) -> None:
    """A file in the directory's place, no lock, and two wheels of one name: each is said."""
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in project("wheelhouse", tmp_path / "file", code=7).stderr
    assert "there is no lock" in project("wheelhouse", tmp_path / "wheels", tmp_path, code=3).stderr
    text = json.loads((project.directory / "nixgen.lock").read_text())
    text["packages"][0]["sha256"] = "0" * 64
    (tmp_path / "nixgen.lock").write_text(json.dumps(text))
    said = project("wheelhouse", tmp_path / "wheels", project.directory, tmp_path, code=3).stderr
    assert "two different wheels are called demo-1.0" in said
