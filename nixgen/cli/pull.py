"""Take into the store what `nixgen push --stdout` has written, from a file or standard input.

Leaves are made of the wheels, each by its hash. What was made of them Nix takes where it knows the
key of whoever signed it.
"""

from __future__ import annotations

import argparse

EXAMPLES = (
    ("nixgen pull --trusted-key KEY -o result stream", "from a file, with a link that keeps it"),
    ("nixgen pull --trusted-key KEY", "from a pipe: nixgen push --stdout | ssh host nixgen pull --trusted-key KEY"),
)

#: What comes after.
_THERE = """\
Only what a host lacks:
  ssh host ls /nix/store > there && nixgen push --stdout --there there | ssh host nixgen pull
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.epilog = f"{parser.epilog}\n\n{_THERE}"
    parser.add_argument("file", nargs="?", metavar="FILE", help="what was written (default: standard input)")
    parser.add_argument(
        "-o",
        "--out-link",
        action="append",
        default=[],
        metavar="PATH",
        help="a link to the environment, which keeps it from garbage collection; repeatable, one for each",
    )
    parser.add_argument(
        "--trusted-key", action="append", default=[], metavar="KEY", help="a public key to believe; repeatable"
    )
    parser.add_argument(
        "--option", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="a setting for Nix"
    )


def run(options: argparse.Namespace) -> int:
    """Pull, and print the store paths of the environments; return the exit code.

    Raises:
        NixgenError: with what stands in the way; no environment was taken then.
        UsageError: there is no stream.
    """
    import contextlib
    import sys
    from pathlib import Path

    from nixgen.caches.pull import pull
    from nixgen.cli.console import Console
    from nixgen.errors import UsageError

    if options.file is None and sys.stdin.isatty():
        raise UsageError("there is no stream", where="standard input", todo="name a file, or pipe one in")
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(Path(options.file).open("rb")) if options.file else sys.stdin.buffer
        links = [Path(link) for link in options.out_link]
        found = pull(stream, dict(options.option), options.trusted_key, links, Console(quiet=options.quiet))
    print("\n".join(found))
    return 0
