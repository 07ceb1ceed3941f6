"""Sources, fetched, and wheels built of them."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.nix.conftest import INTERPRETER, PYTHON, Nix
from tests.support.nix import NixFailedError
from tests.support.server import WheelServer
from tests.support.sources import make_source, source_files

FETCH = "nixgen.fetchSource { lock = { directory = /. + directory; }; inherit package; }"
BUILD = f"""
let
  python = nixgen.interpreter {{ python = pythonPath; inherit version; }};
  environment = nixgen.env {{
    lock = {{ directory = /. + directory; targets = [ target ]; packages = [ ]; wheels = {{ }};
             extras = [ ]; groups = [ ]; defaultGroups = [ ]; }};
    system = builtins.currentSystem;
    python = pythonPath;
  }};
in
nixgen.buildWheel {{
  inherit package environment;
  source = {FETCH};
  system = builtins.currentSystem;
  interpreter = python;
}}
"""

BACKEND = {"backend": "b", "backendPath": ["."], "needs": []}


def build(nix: Nix, directory: Path, package: dict[str, object]) -> Path:
    """Build a package of a project in a directory."""
    system = nix.evaluate("builtins.currentSystem")
    target = {"python": PYTHON, "system": system, "fullVersion": PYTHON, "libc": "glibc 2.35"}
    return nix.build(
        BUILD, directory=str(directory), package=package, target=target, pythonPath=INTERPRETER, version=PYTHON
    )


def test_an_archive_is_built(nix: Nix, tmp_path: Path, serve: Callable[..., WheelServer]) -> None:
    """It is fetched by its hash, from a server or from disk, and what is built lies as what is unpacked does."""
    name, content = make_source("demo")
    digest = hashlib.sha256(content).hexdigest()
    (tmp_path / name).write_bytes(content)
    server = serve((name, content))
    for place in ({"path": name}, {"url": server.url(name)}):
        package = {"name": "demo", "version": "1.0", "build": BACKEND, "source": {**place, "sha256": digest}}
        output = build(nix, tmp_path, package)
        assert (output / "filename").read_text() == "demo-1.0-py3-none-any.whl"
        assert (output / "files" / "demo" / "__init__.py").read_text() == "version = '1.0'\n"
        assert json.loads((output / "index.json").read_bytes())["distInfo"] == "demo-1.0.dist-info"
    wrong = {"name": "demo", "version": "1.0", "source": {"url": server.url(name), "sha256": "0" * 64}}
    with pytest.raises(NixFailedError):
        nix.build(FETCH, directory=str(tmp_path), package=wrong)


def test_a_commit_is_fetched(nix: Nix, tmp_path: Path) -> None:
    """The files of a commit, not those of today; with another hash than the lock's they are refused."""
    git = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    (tmp_path / "one").write_text("one\n")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], cwd=tmp_path, check=True, capture_output=True, text=True)
    (tmp_path / "one").write_text("two\n")
    expression = '(builtins.fetchGit { inherit url rev; }).narHash or ""'
    source = {"repository": tmp_path.as_uri(), "commit": done.stdout.strip()}
    nar = nix.evaluate(expression, write=True, url=source["repository"], rev=source["commit"])
    package = {"name": "demo", "version": "1", "source": {**source, "sha256": nar}}
    said = nix.evaluate(f'builtins.readFile ("${{{FETCH}}}/one")', write=True, directory="/", package=package)
    assert said == "one\n"
    package["source"] = {**source, "sha256": "0" * 64}
    assert "mismatch" in nix.refusal(FETCH, directory="/", package=package)


def test_a_directory_is_what_is_no_product(nix: Nix, tmp_path: Path) -> None:
    """Of a directory all that tools have not put there; of a checkout of that what Git knows."""
    kept = ["pyproject.toml", "src/demo/__init__.py", "src/demo/build/x.py", "nix/mine.nix"]
    left = ["build/x", "dist/x", "result/x", ".venv/pyvenv.cfg", "env/pyvenv.cfg", "demo.egg-info/x", "nixgen.lock"]
    left += ["src/demo/__pycache__/x.pyc", "flake.lock"]
    for name in (*kept, *left):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    package = {"name": "demo", "version": "1", "source": {"directory": "."}}
    found = Path(nix.evaluate(f'"${{{FETCH}}}"', write=True, directory=str(tmp_path), package=package))
    assert {str(path.relative_to(found)) for path in found.rglob("*") if path.is_file()} == set(kept)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", kept[0]], cwd=tmp_path, check=True)
    found = Path(nix.evaluate(f'"${{{FETCH}}}"', write=True, directory=str(tmp_path), package=package))
    assert [str(path.relative_to(found)) for path in found.rglob("*") if path.is_file()] == kept[:1]


def test_a_version_that_the_source_does_not_say_is_told(nix: Nix, tmp_path: Path) -> None:
    """A build of a directory sees the version that the lock has; that of an archive has its own."""
    more = "files['demo/told.py'] = repr(os.environ.get('SETUPTOOLS_SCM_PRETEND_VERSION'))"
    for path, text in source_files("demo", more=more).items():
        (tmp_path / "project" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / path).write_text(text)
    name, content = make_source("demo", more=more)
    (tmp_path / name).write_bytes(content)
    sources = {
        "'1.0'": {"directory": "project"},
        "None": {"path": name, "sha256": hashlib.sha256(content).hexdigest()},
    }
    for told, source in sources.items():
        package = {"name": "demo", "version": "1.0", "build": BACKEND, "source": source}
        assert (build(nix, tmp_path, package) / "files" / "demo" / "told.py").read_text() == told
