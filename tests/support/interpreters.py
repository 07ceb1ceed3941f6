"""The Pythons of this machine."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

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


def _runs(candidate: str, version: str) -> bool:
    question = "import sys; print('{}.{}'.format(*sys.version_info))"
    done = subprocess.run([candidate, "-I", "-c", question], capture_output=True, text=True, check=False)
    return done.stdout.strip() == version
