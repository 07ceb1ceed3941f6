"""Where this machine has its Pythons: those that a build finds without a word of the user's.

Every build asks: nothing is imported here that a build does not need.
"""

from __future__ import annotations

import os
from pathlib import Path

#: Where distributions and their users put a Python; nix/interpreter.nix looks there too.
MACHINE_DIRECTORIES = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")

#: What would keep ``uv python find`` from looking among the Pythons that it manages.
_PREFERENCES = frozenset(["UV_MANAGED_PYTHON", "UV_NO_MANAGED_PYTHON", "UV_PYTHON_PREFERENCE"])


def machine_python(version: str) -> Path | None:
    """Return the Python of a minor version (``3.12``, ``3.13t``) that a build takes by itself; None without one."""
    candidates = (Path(directory, f"python{version}") for directory in MACHINE_DIRECTORIES)
    return next((path for path in candidates if path.exists()), None)


def managed_python(request: str) -> Path | None:
    """Return the newest CPython that uv manages and that fits a request; None where there is none, or no uv.

    Nothing is downloaded, and no file of a project is read.

    Args:
        request: a version or specifiers, as uv has them: ``@3.12``, ``@3.13t``, ``>=3.12,<3.14``.
    """
    # Imported here: most machines have what is built with.
    import subprocess

    import uv

    if not managed_directory().is_dir():
        return None
    flags = ("--managed-python", "--system", "--no-project", "--no-config", "--no-python-downloads", "--offline")
    environment = {name: value for name, value in os.environ.items() if name not in _PREFERENCES}
    try:
        done = subprocess.run(
            [uv.find_uv_bin(), "python", "find", *flags, f"cpython{request}"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(done.stdout.strip())


def find_python(version: str) -> Path | None:
    """Return the Python of a minor version that a build on this machine finds; None where there is none."""
    return machine_python(version) or managed_python(f"@{version}")


def managed_directory() -> Path:
    """Return where uv keeps the Pythons that it manages; it may not be there."""
    if given := os.environ.get("UV_PYTHON_INSTALL_DIR"):
        return Path(given)
    try:
        return Path(os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser(), "uv", "python")
    except RuntimeError:  # a user without a home
        return Path(os.devnull, "uv")
