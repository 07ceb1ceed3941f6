"""Remove requirements from the project, lock, and renew .venv where there is one.

The files are edited as `nixgen add` does it, with their comments; with --npm, and where there is
nothing but a package.json, by npm. A package stays in the lock as
long as another one asks for it: `nixgen why` says which.
"""

from __future__ import annotations

import argparse

EXAMPLES = (
    ("nixgen remove requests", ""),
    ("nixgen remove --dev pytest", "from the group dev"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.add import add_table

    parser.add_argument("names", nargs="+", metavar="NAME", help="a package that the project asks for")
    add_table(parser)


def run(options: argparse.Namespace) -> int:
    """Remove requirements; return the exit code.

    Raises:
        NixgenError: with what stands in the way; all is as it was then.
    """
    from nixgen.cli.add import run_change

    return run_change(options, remove=options.names)
