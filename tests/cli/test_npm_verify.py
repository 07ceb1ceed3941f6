"""``nixgen verify`` of packages of npm, in a store of its own."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.npm import NpmRegistry, npm_package
from tests.support.npm_locks import of_registry, write_npm_project

pytestmark = pytest.mark.nix


def alter(path: Path) -> None:
    """Change the last byte of a file in the store, behind Nix's back."""
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    path.chmod(0o444)


def test_what_is_altered_is_named_and_restored(empty_store: Cli, tmp_path: Path) -> None:
    """An archive is held against the lock's hash, and a package's files against what Nix unpacked; both come back."""
    one = npm_package("one", files={"index.js": "module.exports = require('two')\n"})
    two = npm_package("two")
    empty_store.environment["npm_config_cache"] = str(tmp_path / "npm")
    with NpmRegistry([one, two]) as registry:
        write_npm_project(
            empty_store.directory,
            of_registry(registry, one, dependencies={"two": "node_modules/two"}),
            of_registry(registry, two),
        )
        empty_store("build")
        assert "all is well: 0 leaves and " in empty_store("verify").stderr
        store = Path(empty_store.environment["NIX_STORE_DIR"])
        (file,) = store.glob("*-one/node_modules/one/index.js")
        (compiled,) = store.glob("*-nixgen-builders/__pycache__")
        # Nothing keeps what has made packages, and a collection takes it.
        delete = ["nix-store", "--delete", str(compiled.parent)]
        subprocess.run(delete, env=empty_store.environment, check=True, capture_output=True)
        alter(file)
        done = empty_store("verify", code=5)
        package = file.parents[2]
        assert done.stdout.splitlines()[:2] == [f"altered: package {package}", "  node_modules/one/index.js"]
        assert "nixgen: 1 store path is not" in done.stderr
        assert f"altered: package {package}\n" in empty_store("verify", "--all", "-C", tmp_path, code=5).stdout
        (archive,) = store.glob("*-two-1.0.0.tgz")
        alter(archive)
        said = json.loads(empty_store("verify", "--json", code=5).stdout)["findings"]
        assert [(one["kind"], one["what"], one["package"]) for one in said] == [
            ("altered", "archive", "two 1.0.0"),
            ("altered", "package", ""),
        ]
        said = empty_store("verify", "--all", "-C", tmp_path, code=5).stdout
        assert f"altered: archive {archive}\n" in said
        done = empty_store("verify", "--repair", code=5)  # the package is back, and no cache has the archive
        assert f"{archive} is in no cache" in done.stderr
        cached = Path(empty_store.environment["npm_config_cache"], "_cacache", "content-v2", "sha512")
        digest = hashlib.sha512(two.archive).hexdigest()
        kept = cached / digest[:2] / digest[2:4] / digest[4:]
        kept.parent.mkdir(parents=True)
        kept.write_bytes(two.archive)
        done = empty_store("verify", "--repair")
        assert f"repaired altered: archive {archive}" in done.stderr and "all is well" in done.stderr
        empty_store("verify", "--all")
        assert file.read_bytes() == b"module.exports = require('two')\n"
