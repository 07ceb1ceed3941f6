"""The program that makes and heals: the one of an environment in the store, so that it works without nixgen too."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..library import library_directory

_log = logging.getLogger(__name__)

_NAME = Path("bin", "nixgen-venv")


def environment_below(directory: Path) -> Path | None:
    """Return the store path that a virtual environment stands on, as its marker says; None where there is no marker."""
    try:
        lines = (directory / ".nixgen" / "state").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    return next((Path(line[4:]) for line in lines if line.startswith("env /")), None)


def run(directory: Path, arguments: Sequence[str], *, environment: Path | None) -> int:
    """Run the program on a virtual environment and return its exit code; it says itself what it does.

    Args:
        directory: the virtual environment.
        arguments: options of the program.
        environment: the environment of the store whose program it is; where that has none (None, or collected), the
            one that came with this nixgen runs.
    """
    program = environment / _NAME if environment is not None else None
    if program is not None and program.exists():
        command = [str(program)]
    else:
        command = ["sh", str(library_directory() / "venv" / "program.sh")]
    command += [*arguments, str(directory)]
    _log.debug("running %s", " ".join(command))
    return subprocess.run(command, check=False).returncode
