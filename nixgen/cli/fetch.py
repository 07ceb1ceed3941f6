"""Put the files of an environment into the store, without building it; of npm's packages, the archives.

Afterwards `nix-build nix --argstr ingest store` needs no network.
"""

from __future__ import annotations

import argparse

EXAMPLES = (
    ("nixgen fetch", ""),
    ("nixgen fetch --all-extras --all-groups", "all that any build of the lock may need"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    add_choice(parser)


def run(options: argparse.Namespace) -> int:
    """Fetch the leaves of an environment; return the exit code.

    Raises:
        NixgenError: with what stands in the way.
    """
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.environments.build import fetch_all
    from nixgen.environments.choice import Choice
    from nixgen.environments.kinds import Kinds

    wanted, console = request(options), Console(quiet=options.quiet)
    kinds = Kinds.of(wanted.base)
    if kinds.python:
        fetch_all(Choice.of(wanted), console)
    if kinds.npm:
        from nixgen.environments.npm_choice import fetch_archives

        fetch_archives(wanted, console)
    return 0
