"""Take away what is mounted over a virtual environment; what was changed in it stays below.

`nixgen mount DIR` mounts it again. Where programs use it, they are named.
"""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLES = (("nixgen umount .venv", ""),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("dirs", nargs="+", metavar="DIR", help="virtual environments")
    parser.add_argument("--lazy", action="store_true", help="let programs that use it keep what they have open")


def run(options: argparse.Namespace) -> int:
    """Take it away; return the exit code."""
    from nixgen.venv.program import environment_below
    from nixgen.venv.program import run as run_program

    code = 0
    lazy = ["--lazy"] if options.lazy else []
    for name in options.dirs:
        directory = Path(options.here, name)
        code = run_program(directory, ["--unmount", *lazy], environment=environment_below(directory)) or code
    return code
