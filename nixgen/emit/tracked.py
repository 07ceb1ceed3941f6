"""What of a project Git does not know yet, and a flake therefore does not see."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from nixgen.errors import MachineError
from nixgen.names import LOCK_NAME, NIX_DIRECTORY
from nixgen.processes import run

#: What a flake of a project needs.
_NEEDED = ("flake.nix", LOCK_NAME, NIX_DIRECTORY)


def untracked(base: Path) -> list[str]:
    """Return what of flake.nix, nixgen.lock and nix/ Git does not know; nothing without a flake or a repository.

    Args:
        base: the project's directory.
    """
    if not (base / "flake.nix").is_file() or shutil.which("git") is None:
        return []
    done = run(["git", "ls-files", "--others", "-z", "--", *_NEEDED], cwd=base)
    if done.returncode != 0:  # no repository, or one of somebody else's
        return []
    files = [name for name in done.stdout.split("\0") if name and not name.endswith(".pyc")]
    return [name for name in _NEEDED if any(file == name or file.startswith(f"{name}/") for file in files)]


def add(base: Path, names: Sequence[str]) -> None:
    """Add files and directories of a project to Git's index.

    Raises:
        MachineError: Git does not take them.
    """
    done = run(["git", "add", "--", *names], cwd=base)
    if done.returncode != 0:
        raise MachineError(
            f"git does not take {', '.join(names)}: {done.stderr.strip()}",
            where=str(base),
            todo="add them yourself (`git add --force` takes what is ignored)",
        )
