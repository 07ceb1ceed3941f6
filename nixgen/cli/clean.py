"""Say what can go and what that frees; remove it where you agree.

What is looked at is nixgen's cache, which is made again when it is needed, and the store paths that
nothing keeps: no link of a build, no virtual environment or node_modules, no profile of Nix's. These are not
nixgen's alone: it is Nix's own garbage collection (`nix-store --gc`). Without a terminal to ask on,
nothing is removed unless --yes is said.
"""

from __future__ import annotations

import argparse
import sys

EXAMPLES = (
    ("nixgen clean", "say what can go, and ask"),
    ("nixgen clean --dry-run", "say it"),
    ("nixgen clean --yes --no-cache", "in a timer: what nothing keeps in the store"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("-y", "--yes", action="store_true", help="remove it without asking")
    parser.add_argument("--dry-run", action="store_true", help="remove nothing")
    parser.add_argument("--no-cache", action="store_true", help="leave nixgen's cache")
    parser.add_argument("--no-store", action="store_true", help="leave the store")
    parser.add_argument("--json", action="store_true", help="print JSON of what can go (docs/commands.md)")


def run(options: argparse.Namespace) -> int:
    """Say what can go, and remove it where that is wanted; return the exit code.

    Raises:
        NixError: Nix is missing, or cannot remove something.
    """
    import json

    from nixgen.cleaning import Waste, clean_cache, survey
    from nixgen.cli.console import Console, count, size
    from nixgen.store import Store

    console = Console(quiet=options.quiet)
    store = Store()
    with console.waiting("looking at the store"):
        waste = survey(store)
    waste = Waste(
        cached=0 if options.no_cache else waste.cached,
        npm=0 if options.no_cache else waste.npm,
        paths=() if options.no_store else waste.paths,
        stored=0 if options.no_store else waste.stored,
    )
    if options.json:
        said = {"cache": waste.cached, "npm": waste.npm, "storePaths": len(waste.paths), "store": waste.stored}
        print(json.dumps(said, indent=1))
    else:
        if not options.no_cache:
            of_npm = f", {size(waste.npm)} of it archives of npm's packages" if waste.npm else ""
            console.say(f"nixgen's cache: {size(waste.cached)}{of_npm}")
        if not options.no_store:
            console.say(f"in the store, kept by nothing: {count(len(waste.paths), 'path')}, {size(waste.stored)}")
    if options.dry_run or not (waste.cached or waste.paths):
        return 0
    if not options.yes and not _agreed():
        console.say("nothing was removed" + ("" if sys.stdin.isatty() else "; --yes removes it"))
        return 0
    if waste.cached:
        clean_cache()
    if waste.paths:
        with console.waiting("collecting"):
            store.collect()
    console.say("removed")
    return 0


def _agreed() -> bool:
    """Ask, where there is somebody to ask."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print("remove it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
