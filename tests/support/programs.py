"""Programs that the tests need beside Nix, from Debian packages that are unpacked and not installed."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def program(name: str, package: str | None = None) -> str:
    """Return the path of a program: the machine's own, else that of a package of this machine's Debian.

    Args:
        name: the program.
        package: the package, where it has another name. The program in it may have that name too.
    """
    found = shutil.which(name)
    if found is not None:
        return found
    package = package or name
    directory = _ROOT / ".cache" / "programs"
    done = subprocess.run(
        [_ROOT / "script" / "debian-programs", directory, package], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"script/debian-programs failed; it needs Debian's archive:\n{done.stderr}"
    programs = directory / package / "programs"
    return str(programs / name if (programs / name).exists() else programs / package)
