"""Write the wheels of locks into a directory, for `pip install --find-links` and the like.

Each is put together again of its files in the store, if its skeleton is known, or else taken from a
cache or the index, and compared with the lock's SHA-256. Of those that were fetched the skeleton is
kept, so that the next time takes no download.
"""

from __future__ import annotations

import argparse

EXAMPLES = (
    ("nixgen wheelhouse wheels", "the wheels of ./nixgen.lock"),
    ("nixgen wheelhouse /srv/wheels a/nixgen.lock b/nixgen.lock", "of several"),
)

#: What comes after.
_USE = """\
What it is for:
  pip install --no-index --find-links wheels flask
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_places

    parser.epilog = f"{parser.epilog}\n\n{_USE}"
    parser.add_argument("wheelhouse", metavar="DIR", help="where to write; made where it is missing")
    parser.add_argument(
        "locks", nargs="*", metavar="LOCK", help="locks, or directories with one (default: that of the project)"
    )
    add_places(parser)
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(options: argparse.Namespace) -> int:
    """Write the wheels; return the exit code.

    Raises:
        NixgenError: with what stands in the way.
    """
    import json
    from pathlib import Path

    from nixgen.cli.console import Console, count, size
    from nixgen.environments.fetch import access_of
    from nixgen.settings import Settings
    from nixgen.wheelhouse.wanted import wheels_of
    from nixgen.wheelhouse.write import write_wheelhouse

    console, base = Console(quiet=options.quiet), Path(options.directory)
    wheels, built = [], set()
    for lock in [Path(options.here, lock) for lock in options.locks] or [base]:
        found, without = wheels_of(lock)
        wheels += found
        built.update(without)
    caches = tuple(options.caches) or Settings.read(base / "pyproject.toml").caches
    written = write_wheelhouse(
        wheels,
        Path(options.here, options.wheelhouse),
        access=lambda: access_of(base, options.mirror, caches),
        caches=caches,
        observer=console,
    )
    if built:
        console.note(f"built of sources, and not among the wheels: {', '.join(sorted(built))}")
    if options.json:
        print(
            json.dumps(
                {
                    "written": written.ways.total(),
                    "there": written.there,
                    "ways": dict(sorted(written.ways.items())),
                    "size": written.size,
                    "downloaded": written.read,
                    "whole": list(written.whole),
                    "built": sorted(built),
                },
                indent=1,
            )
        )
        return 0
    made = written.ways["leaves"]
    console.say(
        f"wrote {count(written.ways.total(), 'wheel')}, {size(written.size)}: {made:,} put together of the store, "
        f"{size(written.read)} downloaded" + (f"; {written.there:,} were there" if written.there else "")
    )
    return 0
