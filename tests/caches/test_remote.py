"""Machines that build for others, and to which environments are copied, over ssh."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.caches import Machine
from tests.support.cli import listing
from tests.support.nix import cannot_sandbox
from tests.support.owner import as_root
from tests.support.remote import Remote, remote_machine

pytestmark = [pytest.mark.nix, as_root]

#: The sandbox is on, with the machine's own Python in it.
SANDBOX = """\
build-users-group =
substituters =
sandbox = true
sandbox-fallback = false
extra-sandbox-paths = /lib /lib64 /usr /bin
"""


@pytest.fixture
def remote(machine: Machine, tmp_path: Path) -> Iterator[Remote]:
    """Another machine with a sandbox and an empty store."""
    settings = f"{SANDBOX}trusted-public-keys = {machine.public}\n"
    with remote_machine(machine.nix, tmp_path / "remote", settings) as remote:
        yield remote


@pytest.mark.skipif(cannot_sandbox(), reason="the sandbox needs user namespaces; CI has them")
def test_another_machine_builds(machine: Machine, remote: Remote) -> None:
    """With `max-jobs = 0` nothing is built here: leaves go there, trees and the environment come back."""
    builders = f"builders = {remote.url.partition('?')[0]} x86_64-linux {remote.key} 2\nmax-jobs = 0\n"
    settings = machine.nix.env.get("NIX_CONFIG", os.environ.get("NIX_CONFIG", ""))
    variables = {**remote.env, "NIX_CONFIG": f"{settings}\n{builders}"}
    machine.cli("build", environment=variables)
    result = machine.cli.directory / "result"
    assert subprocess.run([result / "bin/demo"], capture_output=True, text=True, check=True).stdout == "demo\n"
    built = result.resolve().relative_to(machine.nix.root)
    assert (remote.directory / built).is_dir()
    shutil.rmtree(remote.directory)
    # The same as is built here.
    machine.forget()
    machine.cli("build")
    assert result.resolve() == machine.nix.root / built


def test_an_environment_is_copied(machine: Machine, away: None, remote: Remote) -> None:
    """Trees have the cache's signature, and the environment, which each machine makes, one of its own: all comes."""
    machine.build("--from", machine.cache)
    environment = (machine.cli.directory / "result").resolve()
    nix, env = ("nix", "--extra-experimental-features", "nix-command"), {**machine.nix.env, **remote.env}
    copy = [*nix, "copy", "--to", remote.url, environment]
    refused = subprocess.run(copy, env=env, capture_output=True, text=True, check=False)
    assert refused.returncode != 0 and f"'{environment}' because it lacks a" in refused.stderr
    subprocess.run([*nix, "store", "sign", "--key-file", machine.secret, environment], env=env, check=True)
    subprocess.run(copy, env=env, check=True, capture_output=True)
    copied = remote.directory / environment.relative_to(machine.nix.root)
    assert listing(copied) == listing(environment)
    needed = subprocess.run(
        ["nix-store", "--query", "--requisites", environment],
        env=machine.nix.env,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert len(needed) > 20
    for path in needed:
        assert (remote.directory / Path(path).relative_to(machine.nix.root)).exists()
