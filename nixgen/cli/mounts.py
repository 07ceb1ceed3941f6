"""Show which virtual environments are mounted on this machine, and which should be."""

from __future__ import annotations

import argparse

EXAMPLES = (("nixgen mounts", ""),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON: directory, environment, user, state")


def run(options: argparse.Namespace) -> int:
    """Print the table; return the exit code."""
    import sys

    from nixgen.venv.program import mounting

    # Printed here: what standard output does not take is said as of any other verb.
    done = mounting("table", *(["--json"] if options.json else []), captured=True)
    sys.stderr.write(done.stderr)
    sys.stdout.write(done.stdout)
    return done.returncode
