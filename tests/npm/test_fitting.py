"""Which packages are for a system: nixgen and the Nix library say the same."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from nixgen.lock import Lock
from nixgen.npm.fitting import fitting
from tests.support.nix import NixInstallation, evaluate
from tests.support.npm_locks import Json, make_tgz, write_npm_lock, write_package

PLACES = """
builtins.mapAttrs (_: value: builtins.map (omit: builtins.attrNames (nixgen.npmInstances {
  lock = nixgen.readLock (/. + file); inherit omit; system = value;
})) omits) (builtins.listToAttrs (map (name: { inherit name; value = name; }) systems))
"""
SYSTEMS = ["x86_64-linux", "aarch64-linux", "i686-linux", "armv7l-linux", "x86_64-darwin", "aarch64-darwin"]
KINDS = ("dev", "optional", "peer")


@pytest.mark.nix
def test_nixgen_and_nix_agree(nix_store: NixInstallation, tmp_path: Path) -> None:
    """For each system and each --omit, both take the same packages, whatever their os, cpu and libc say."""
    archive = make_tgz()
    said: list[Json] = []
    for number, (system, cpu, libc) in enumerate(
        itertools.product(
            [None, ["linux"], ["!linux"], ["darwin", "win32"], ["any"]],
            [None, ["x64"], ["arm64", "arm"], ["!x64"]],
            [None, ["glibc"], ["musl"]],
        )
    ):
        lists = {name: value for name, value in (("os", system), ("cpu", cpu), ("libc", libc)) if value}
        flags = {("dev", "optional", "devOptional")[number % 3]: True} if number % 4 else {}
        if lists:
            flags["optional"] = True
        if number % 5 == 0:
            flags["peer"] = True
        drops = {"drops": [f"node_modules/p{number - 1}"]} if number % 7 == 6 else {}
        if number % 11 == 10:
            drops["serves"] = [f"node_modules/p{number - 1}", f"node_modules/p{number - 2}"]
        said.append(write_package(tmp_path, archive, f"node_modules/p{number}", **lists, **flags, **drops))
    file = write_npm_lock(tmp_path, *said)
    omits = [list(omit) for length in range(4) for omit in itertools.combinations(KINDS, length)]
    by_nix = evaluate(PLACES, nix_store.env, write=True, file=str(file), omits=omits, systems=SYSTEMS)
    lock = Lock.from_file(file).npm
    assert lock is not None
    by_nixgen = {
        system: [[package.at for package in fitting(lock, system, omit)] for omit in omits] for system in SYSTEMS
    }
    for system in SYSTEMS:
        for omit, ours, theirs in zip(omits, by_nixgen[system], by_nix[system], strict=True):
            assert sorted(ours) == theirs, (system, omit)
            assert len(theirs) < len(said)
