"""The wheels and the server that other tests rely on."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import uv

from tests.support.server import WheelServer
from tests.support.wheels import Member, make_wheel, write_wheel

Serve = Callable[..., WheelServer]


def test_wheels_are_deterministic() -> None:
    """The same arguments give the same bytes."""
    options = {"files": {"a.py": "1"}, "data": {"scripts/x": "#!python\n"}, "executable": ["a.py"]}
    assert make_wheel(**options) == make_wheel(**options)  # type: ignore[arg-type]


def test_raw_names_stay_raw() -> None:
    """Odd and duplicate names stand in the archive as they were given."""
    names = ["a\0b", "c\\d", "../e", "f", "f"]
    wheel = make_wheel(members=[Member(name=name) for name in names])[1]
    with zipfile.ZipFile(BytesIO(wheel)) as archive:
        assert [info.orig_filename for info in archive.infolist()][1:6] == names


def test_pip_installs_a_made_wheel(tmp_path: Path) -> None:
    """An honest made wheel is one that uv installs, launcher and all."""
    wheel = make_wheel(entry_points={"console_scripts": {"run": "demo:main"}})
    path = write_wheel(tmp_path, wheel)
    target = tmp_path / "target"
    command = [uv.find_uv_bin(), "pip", "install", "--offline", "--no-index", "--target", target, path]
    subprocess.run([*command, "--python", sys.executable], check=True, capture_output=True)
    assert (target / "demo/__init__.py").read_text() == "answer = 42\n"
    assert (target / "bin/run").exists()


def test_uv_resolves_from_the_index(serve: Serve, tmp_path: Path) -> None:
    """The server is an index that uv resolves from, dependencies and hashes included."""
    server = serve(
        make_wheel("top", metadata=["Requires-Dist: low>=1"]), make_wheel("low", "1.5"), make_wheel("low", "0.5")
    )
    requirements = tmp_path / "requirements.in"
    requirements.write_text("top\n")
    command = [uv.find_uv_bin(), "pip", "compile", "--no-config", "--no-cache", "--generate-hashes", "--no-header"]
    done = subprocess.run(
        [*command, "--default-index", server.index, "--python", sys.executable, requirements],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "low==1.5" in done.stdout
    assert "top==1.0" in done.stdout
    assert done.stdout.count("--hash=sha256:") == 2


def test_the_server_counts(serve: Serve) -> None:
    """The server knows every request and the bytes it sent."""
    name, content = make_wheel()
    server = serve((name, content))
    request = urllib.request.Request(server.url(name), headers={"Range": "bytes=-22"})
    with urllib.request.urlopen(request) as response:
        assert response.read() == content[-22:]
    assert server.sent == 22
    assert [request.status for request in server.wheel_requests] == [206]
