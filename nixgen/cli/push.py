"""Write to a cache what other machines cannot cheaply make of a lock.

The cache is one of Nix's: a directory, `file://`, or a bucket (`s3://NAME?endpoint=HOST`). It gets
wheels, trees, environments, images that are built, and wheels that were built of sources;
leaves are left out, and made of the wheels by whoever takes from it. Of npm's packages it gets
their archives, and what was made of them. What is already there is not written again. Nothing is
written that is not what Nix has recorded of it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.caches.contents import Contents

EXAMPLES = (
    ("nixgen push --sign-key secret /srv/cache", "the environment of ./nixgen.lock, to a directory"),
    ("nixgen push --sign-key secret 's3://wheels?endpoint=s3.example.org' a/nixgen.lock b/nixgen.lock", "to a bucket"),
    ("nixgen push --stdout --sign-key secret | ssh host nixgen pull", "as one stream"),
)

#: What comes before, and after.
_KEYS = """\
`nix key generate-secret --key-name cache-1 > secret` makes a key to sign with, and `nix key convert-secret-to-public`
what others trust: nixgen build --from https://cache.example.org --trusted-key "$(cat public)", from what serves the
directory.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    parser.epilog = f"{parser.epilog}\n\n{_KEYS}"
    parser.add_argument(
        "cache", nargs="?", metavar="CACHE", help="a directory, a URL of file:// or s3://, or ssh-ng://HOST"
    )
    parser.add_argument(
        "locks", nargs="*", metavar="LOCK", help="locks, or directories with one (default: that of the project)"
    )
    parser.add_argument(
        "--sign-key",
        action="append",
        default=[],
        metavar="FILE",
        help="a secret key of Nix's to sign with; repeatable (default: those of Nix's setting secret-key-files)",
    )
    parser.add_argument(
        "--stdout", action="store_true", help="write all that a receiver needs as one stream, for `nixgen pull`"
    )
    parser.add_argument(
        "--there",
        metavar="FILE",
        help="names of the store paths that the receiver of --stdout has, one a line, as `ls /nix/store` prints them; "
        "they are left out",
    )
    parser.add_argument("--mounted", action="store_true", help="build the image of the environment, too")
    add_choice(parser)


def run(options: argparse.Namespace) -> int:
    """Push, and print the store paths of the environments; return the exit code.

    Raises:
        NixgenError: with what stands in the way.
    """
    import sys

    from nixgen.caches.contents import contents_of
    from nixgen.caches.keys import sign_keys
    from nixgen.caches.push import check_cache, copy, push, send
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console, count, size
    from nixgen.store import Store
    from nixgen.temporary import temporary_directory

    if options.stdout and options.cache is not None:
        options.locks.insert(0, options.cache)
    _check(options)
    store_elsewhere = not options.stdout and options.cache.startswith(("ssh-ng://", "ssh://"))
    console = Console(quiet=options.quiet)
    asked = request(options)._replace(mounted=options.mounted)
    bases = [base_of(lock) for lock in options.locks] or [asked.base]
    if not options.stdout and not store_elsewhere:
        check_cache(options.cache, asked.base)
    store = Store(asked.settings)
    keys = sign_keys(map(Path, options.sign_key), store)
    if not keys and not store_elsewhere:
        console.note("nothing signs: Nix takes no tree from such a cache unless it is told to ask for no signature")
    with temporary_directory() as roots:
        contents: list[Contents] = []
        for number, base in enumerate(bases):
            links = roots / str(number)
            links.mkdir()
            contents += contents_of(asked._replace(base=base), links, console)
        if options.stdout:
            there = Path(options.there).read_text(encoding="utf-8").split() if options.there else ()
            report = send(contents, sys.stdout.buffer, store, there=there, keys=keys, observer=console)
        elif store_elsewhere:
            report = copy(contents, options.cache, store, keys=keys, observer=console)
        else:
            report = push(contents, options.cache, store, keys=keys, observer=console)
    if not options.stdout:
        for environment in dict.fromkeys(one.environment for one in contents):
            print(environment)
    known = report.paths - report.added
    console.say(
        f"pushed {count(report.added, 'path')}, {size(report.uploaded)}"
        + (f"; {known:,} of {report.paths:,} were there" if known else "")
    )
    return 0


def _check(options: argparse.Namespace) -> None:
    import sys

    from nixgen.errors import UsageError

    if not options.stdout and options.cache is None:
        raise UsageError("there is no cache to push to", where="CACHE", todo="name a directory or a URL, or --stdout")
    if options.there and not options.stdout:
        raise UsageError("a cache knows what it has", where="--there", todo="leave it out, or push with --stdout")
    if options.stdout and sys.stdout.isatty():
        raise UsageError("a terminal takes no stream", where="--stdout", todo="pipe it into `nixgen pull`, or a file")


def base_of(lock: str) -> Path:
    """Return the project's directory of a lock that is named, or is in a directory that is."""
    from nixgen.names import LOCK_NAME

    path = Path(lock)
    return path.parent if path.name == LOCK_NAME else path
