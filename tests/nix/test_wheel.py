"""Wheels, fetched and unpacked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.nix.conftest import INTERPRETER, PYTHON, Nix
from tests.support.locks import lock_json, lock_wheels, package_json, target_json, wheel_json, write_lock
from tests.support.nix import NixFailedError, derivation
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel, write_wheel

FETCH = "nixgen.fetchWheel { lock = nixgen.readLock (/. + file); inherit filename; }"
UNPACK = f"""
let python = nixgen.interpreter {{ inherit python version; }}; in
nixgen.unpackWheel {{
  wheel = {FETCH};
  inherit filename;
  system = builtins.currentSystem;
  interpreter = python;
}}
""".replace("inherit python version;", "python = pythonPath; inherit version;")

WHEEL = make_wheel("demo", "1.0+local", {"demo/__init__.py": "x = 1\n"})


def _lock(directory: Path, **place: str) -> str:
    described = {WHEEL[0]: wheel_json(WHEEL, **place)}
    return str(write_lock(directory, lock_json(target_json(PYTHON, [package_json(WHEEL)]), wheels=described)))


def test_a_url_is_a_fixed_output(nix: Nix, tmp_path: Path) -> None:
    """A wheel with a URL is a flat fixed output of its SHA-256 that Nix fetches itself."""
    url = f"http://localhost:9/wheels/{WHEEL[0]}"
    said = derivation(nix.instantiate(FETCH, file=_lock(tmp_path, url=url), filename=WHEEL[0]), nix.env)
    digest = hashlib.sha256(WHEEL[1]).hexdigest()
    assert said["builder"] == "builtin:fetchurl"
    assert said["env"]["url"] == url
    assert said["env"]["outputHash"] == digest
    assert said["env"]["outputHashMode"] == "flat"


def test_a_wheel_is_fetched(nix: Nix, tmp_path: Path, serve: Callable[..., WheelServer]) -> None:
    """Nix gets the wheel from its server, once, and unpacks it."""
    server = serve(WHEEL)
    file = _lock(tmp_path, url=server.url(WHEEL[0]))
    assert nix.build(FETCH, file=file, filename=WHEEL[0]).read_bytes() == WHEEL[1]
    unpacked = nix.build(UNPACK, file=file, filename=WHEEL[0], pythonPath=INTERPRETER, version=PYTHON)
    assert (unpacked / "files/demo/__init__.py").read_text() == "x = 1\n"
    assert len(server.wheel_requests) == 1


def test_other_bytes_from_a_server_are_refused(nix: Nix, tmp_path: Path, serve: Callable[..., WheelServer]) -> None:
    """A server that gives other bytes than the lock promises fails the build."""
    filename, content = make_wheel("demo", "2.0")
    described = {filename: wheel_json((filename, content), url=serve((filename, content + b"more")).url(filename))}
    file = write_lock(tmp_path, lock_json(wheels=described))
    with pytest.raises(NixFailedError, match="mismatch"):
        nix.build(FETCH, file=str(file), filename=filename)


@pytest.mark.parametrize("place", ["wheels/{0}", "./wheels/{0}", "../{1}/wheels/{0}", "{2}/wheels/{0}"])
def test_a_path_is_a_wheel_on_disk(nix: Nix, tmp_path: Path, place: str) -> None:
    """A relative path starts at the lock, wherever Nix was started, and an absolute one is taken as it is."""
    # Content of its own: Nix looks for no file whose hash the store holds.
    filename, content = wheel = make_wheel("ondisk", files={"a.py": f"place = {place!r}\n"})
    write_wheel(tmp_path / "wheels", wheel)
    path = place.format(filename, tmp_path.name, tmp_path)
    file = write_lock(tmp_path, lock_json(wheels={filename: wheel_json(wheel, path=path)}))
    found = nix.evaluate(FETCH, write=True, file=str(file), filename=filename)
    assert Path(found).read_bytes() == content
    assert found.startswith(str(nix.path))


def test_other_bytes_on_disk_are_refused(nix: Nix, tmp_path: Path) -> None:
    """A wheel on disk that is not the lock's is refused."""
    file = _lock(tmp_path, path=f"wheels/{WHEEL[0]}")
    write_wheel(tmp_path / "wheels", (WHEEL[0], WHEEL[1] + b"more"))
    lock = Path(file)
    lock.write_text(lock.read_text().replace(hashlib.sha256(WHEEL[1]).hexdigest(), "0" * 64))
    assert "mismatch" in nix.refusal(FETCH, file=file, filename=WHEEL[0])


ODD = {
    'demo/${builtins.throw "x"}.py': "1",
    "demo/$(touch pwned).txt": "2",
    'demo/it\'s "quoted".txt': "3",
    "demo/größe ü.txt": "4",
    "demo/''${x}''.txt": "5",
    "demo/new\nline.txt": "6",
    "demo/-rf": "7",
    "demo/__init__.py": "",
}


def test_odd_names_are_unpacked(nix: Nix, tmp_path: Path) -> None:
    """Members with the signs of Nix and shells are files like others; empty ones are left out."""
    wheel = make_wheel(files=ODD)
    file = lock_wheels(tmp_path, wheel, python=PYTHON)
    out = nix.build(UNPACK, file=str(file), filename=wheel[0], pythonPath=INTERPRETER, version=PYTHON)
    there = {f"demo/{path.name}": path.read_text() for path in (out / "files/demo").iterdir()}
    assert there == {name: content for name, content in ODD.items() if content}
