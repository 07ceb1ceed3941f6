"""The promise, on real packages and with the oldest and the newest Nix."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nixgen.indexes import index_leaf, indexes_of_lock
from nixgen.leaf import leaf_path
from nixgen.lock import Lock
from tests.whole.conftest import Built

pytestmark = [pytest.mark.nix, pytest.mark.registry]


def test_the_program_runs(built: Built) -> None:
    """The example's program, which uses every requirement, runs in what ``nix-build nix`` made."""
    said = subprocess.run(
        [built.result / "bin" / "python", "main.py"],
        cwd=built.cli.directory,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "flask, pandas and requests say: {'Bergen': 4, 'Oslo': 8}" in said
    assert "django knows the password 'letmein': True" in said


def test_both_ways_of_ingest_give_one_derivation(built: Built) -> None:
    """``wheels`` and ``store`` instantiate to the same .drv, and ``nixgen build`` gives the same result."""
    drvs = {
        way: subprocess.run(
            ["nix-instantiate", "nix", "--argstr", "ingest", way],
            cwd=built.cli.directory,
            env=built.nix.env,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for way in ("wheels", "store")
    }
    assert drvs["wheels"] == drvs["store"] != ""
    # nixgen has not seen what stock Nix has compared, and adds nothing to it.
    done = built.cli("build", "--no-out-link")
    assert done.stdout.strip() == str(built.result.readlink())
    assert "added" not in done.stderr
    assert built.cli("build", "--no-out-link").stderr == ""


@pytest.mark.parametrize("built", ["sid"], indirect=True)
def test_a_store_of_its_own_gets_the_same_paths(built: Built, tmp_path: Path) -> None:
    """From an empty store, ``nixgen build`` gives a result with the same files as ``nix-build`` does from wheels."""
    # The same directory name, of which store paths are made, cannot be had twice; relative paths can be compared.
    fresh = built.nix.env | {"NIX_STORE_DIR": str(tmp_path / "store"), "NIX_STATE_DIR": str(tmp_path / "var")}
    done = built.cli("build", "--no-out-link", environment=fresh)
    made, other = Path(done.stdout.strip()), built.result.resolve()
    names = sorted(str(path.relative_to(made)) for path in made.rglob("*"))
    assert names == sorted(str(path.relative_to(other)) for path in other.rglob("*"))
    subprocess.run(["chmod", "-R", "u+w", tmp_path], check=True)


def _lock(built: Built) -> Lock:
    return Lock.from_file(built.cli.directory / "nixgen.lock")


def _path_info(built: Built) -> Iterator[tuple[str, dict[str, Any]]]:
    flags = ["--extra-experimental-features", "nix-command"]
    text = subprocess.run(
        ["nix", *flags, "path-info", "--json", "--recursive", built.result.resolve()],
        env=built.nix.env,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = json.loads(text)
    # A list until 2.18, an object by path since.
    items = found.items() if isinstance(found, dict) else ((entry["path"], entry) for entry in found)
    return ((path if path.startswith("/") else f"{built.nix.path}/{path}", entry) for path, entry in items)


def test_every_leaf_is_a_fixed_output_with_records_hash(built: Built) -> None:
    """Every file of every wheel is a flat SHA-256 fixed output with RECORD's hash, or a copy that says why."""
    stored = {path: entry["ca"] for path, entry in _path_info(built) if _is_leaf_name(path)}
    leaves = dict(zip(stored, _flat_sha256s(list(stored.values()), built), strict=True))
    # Some files of such names are nixgen's own.
    activate = [str((built.result / "bin" / name).readlink()) for name in ("activate", "activate.fish")]
    program = (built.result / "bin" / "nixgen-venv").read_text()
    (installer,) = (path for path, ca in stored.items() if _method(ca) == "text")
    assert Path(installer).read_text() == "nixgen\n"
    for own in (installer, *activate, *re.findall(r"/\S+-file\.(?:py|sh)", program)):
        del leaves[own]

    lock, site = _lock(built), "lib/python3.11/site-packages"
    copies = {f"{entry['distribution']}:{path}" for entry in _manifests(built) for path in entry["copies"]}
    linked, every = {}, {}
    indexes = indexes_of_lock(lock.wheels.values(), base=built.cli.directory)
    for package in lock.targets[0].packages:
        index = indexes[package.wheel.filename]
        del leaves[index_leaf(lock.wheels[package.wheel.filename].index, str(built.nix.path))]
        for path, file in index.files.items():
            # RECORD is written anew by every installer.
            if file.size != 0 and path != f"{index.dist_info}/RECORD":
                leaf = leaf_path(path.rpartition("/")[2], file.sha256, str(built.nix.path))
                every[leaf] = file.sha256
                if f"{package.name}:{site}/{path}" not in copies:
                    linked[leaf] = file.sha256
    assert linked.items() <= leaves.items() <= every.items()
    assert len(linked) > 6000
    assert 0 < len(copies) < 0.02 * len(linked)


def _is_leaf_name(path: str) -> bool:
    name = path.rpartition("/")[2][33:]
    return name == "file" or name.startswith("file.")


def _manifests(built: Built) -> list[dict[str, Any]]:
    paths = [Path(path, "nix-support", "nixgen.json") for path, _ in _path_info(built)]
    return [json.loads(path.read_text()) for path in paths if path.is_file()]


def _method(ca: Any) -> str:
    """Return how a content address was made: ``text:…`` and ``fixed:…``, or an object in newer versions of Nix."""
    return str(ca["method"]) if isinstance(ca, dict) else str(ca.partition(":")[0])


def _flat_sha256s(cas: list[Any], built: Built) -> list[str]:
    """Return the SHA-256 of flat fixed outputs in base 64; of anything else what is no hash."""
    hashes = [_hash(ca) for ca in cas]
    converted = subprocess.run(
        ["nix-hash", "--type", "sha256", "--to-base16", *hashes],
        env=built.nix.env,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [base64.b64encode(bytes.fromhex(text)).decode() for text in converted]


def _hash(ca: Any) -> str:
    if isinstance(ca, dict):
        assert ca["method"] in ("flat", "text"), ca
        said = ca["hash"]
        said = said if isinstance(said, str) else f"{said['algorithm']}-{said['hash']}"
        assert said.startswith("sha256-"), ca
        return str(said)
    # A recursive one would read fixed:r:sha256.
    assert ca.startswith(("fixed:sha256:", "text:sha256:")), ca
    return str(ca.rpartition(":")[2])
