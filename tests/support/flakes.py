"""Flakes in pure mode, with stand-ins for the inputs that are out of reach of tests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.nix import NixInstallation

#: A registry of flakes without any: Nix would look for one on the network.
REGISTRY = Path(__file__).with_name("registry.json")

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Flakes:
    """Runs ``nix`` on flakes.

    Attributes:
        installation: the Nix and its store.
        inputs: a directory for each input of a flake that is to be another.
    """

    installation: NixInstallation
    inputs: Mapping[str, Path]

    def __call__(self, verb: str, *arguments: str | Path, cwd: Path) -> str:
        """Run a verb of ``nix`` in a directory, and return what it prints."""
        override = ["--no-write-lock-file", "--option", "flake-registry", str(REGISTRY)]
        for name, path in self.inputs.items():
            override += ["--override-input", name, f"path:{path}"]
        if verb == "flake init":
            override = []
        done = subprocess.run(
            ["nix", *verb.split(), *override, *arguments],
            cwd=cwd,
            env=self.installation.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def flake_of_checkout(directory: Path, installation: NixInstallation, nixpkgs: Path) -> Path:
    """Copy the tracked files of this repository into a Git repository of their own: a flake sees no others.

    A flake.lock is added, which names the stand-in for nixpkgs: ``nix flake init`` takes no other word for it.
    """
    names = subprocess.run(["git", "ls-files", "-z"], cwd=_ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (_ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(_ROOT / name, directory / name)
    git_add(directory)
    lock = ["nix", "flake", "lock", "--override-input", "nixpkgs", f"path:{nixpkgs}"]
    subprocess.run(lock, cwd=directory, env=installation.env, check=True)
    git_add(directory)
    return directory


def git_add(directory: Path) -> None:
    """Make a directory a Git repository that tracks everything in it."""
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=directory, check=True)
