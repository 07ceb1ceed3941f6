"""The store path of a package: what its builder takes to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from nixgen.library import library_directory


def test_it_starts_with_little() -> None:
    """Nothing is imported that takes as long as a small package to unpack: this starts a thousand times."""
    program = "import sys, npm_package, plain_json; plain_json.loads('{}'); print(*sys.modules)"
    directory = Path(library_directory()) / "builders"
    done = subprocess.run(
        [sys.executable, "-s", "-S", "-B", "-X", "utf8", "-c", program],
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"json", "re", "tarfile", "pathlib", "typing", "subprocess"} & set(done.stdout.split())
