"""The Pythons of this machine."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from nixgen.targets import ask_interpreter

_VERSIONS = [f"3.{minor}" for minor in range(8, 16)]


@functools.cache
def interpreters() -> Mapping[str, str]:
    """Return a CPython of each minor version that runs here, by version: never none, since one runs the tests.

    Those are the one under the running interpreter, those on PATH, and those that pyenv keeps beside it.
    """
    running = "{}.{}".format(*sys.version_info)
    found = {running: os.path.realpath(sys.executable)}
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for version in _VERSIONS:
        kept = sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))
        for candidate in [shutil.which(f"python{version}"), *map(str, kept)]:
            if version not in found and candidate is not None and _runs(candidate, version):
                found[version] = os.path.realpath(candidate)
    return dict(sorted(found.items(), key=lambda item: int(item[0][2:])))


def manage(directory: Path, python: str) -> Path:
    """Put a Python of this machine where uv looks for those that it manages (``UV_PYTHON_INSTALL_DIR``).

    What uv downloads cannot be had here; to uv, a directory with the right name and a Python in it is the same.

    Args:
        directory: uv's; made where it is missing.
        python: the executable of a CPython.

    Returns:
        the executable there.
    """
    real = Path(python).resolve()
    target = ask_interpreter(real)
    machine = target.system.partition("-")[0]
    home = directory / f"cpython-{target.full_version}-linux-{machine}-gnu"
    home.mkdir(parents=True)
    for name in ("bin", "lib", "include"):
        (home / name).symlink_to(real.parent.parent / name)
    return home / "bin" / real.name


def _runs(candidate: str, version: str) -> bool:
    question = "import sys; print('{}.{}'.format(*sys.version_info))"
    done = subprocess.run([candidate, "-I", "-c", question], capture_output=True, text=True, check=False)
    return done.stdout.strip() == version
