"""Images of environments, shown by the kernel."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

#: Mounting is root's; what has no mount runs everywhere.
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting is root's")


@contextlib.contextmanager
def mounted(*arguments: str | Path, at: Path) -> Iterator[Path]:
    """Mount what the arguments of mount(8) say at a directory that is made for it, and give that."""
    at.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *arguments, at], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    try:
        yield at
    finally:
        subprocess.run(["umount", at], check=True)


@contextlib.contextmanager
def shown(image: Path, store: Path, directory: Path) -> Iterator[Path]:
    """Show an image over a store, read-only, and give the place.

    Args:
        image: the EROFS image.
        store: where its files' content is.
        directory: an empty one.
    """
    with mounted("-t", "erofs", "-o", "ro", image, at=directory / "names") as names:
        options = f"ro,metacopy=on,redirect_dir=on,lowerdir={names}::{store}"
        with mounted("-t", "overlay", "-o", options, "overlay", at=directory / "shown") as place:
            yield place


def unmount_below(directory: Path) -> None:
    """Take away all that is mounted below a directory, whoever uses it."""
    for line in reversed(Path("/proc/self/mountinfo").read_bytes().split(b"\n")):
        if len(words := line.split(b" ")) > 4 and words[4].startswith(os.fsencode(f"{directory}/")):
            subprocess.run(["umount", "--lazy", words[4]], check=True)


def own_places(directory: Path) -> dict[str, str]:
    """Return variables that keep what is known of mounts, and what Nix keeps for them, below a directory."""
    names = ("NIXGEN_STATE_DIR", "NIXGEN_RUN_DIR", "NIX_STATE_DIR")
    return {name: str(directory / name) for name in names}
