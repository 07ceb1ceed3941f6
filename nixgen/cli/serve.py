"""Serve an index of packages on this machine, whose wheels come out of the store.

pip, uv, Poetry and others install from it. It has the wheels of the locks that are named, put
together again of their files in the store, and with --upstream whatever another index has.
What is asked for often is kept whole. It takes nothing from anybody, and ends on SIGTERM.
"""

from __future__ import annotations

import argparse

EXAMPLES = (
    ("nixgen serve", "the wheels of ./nixgen.lock, at http://127.0.0.1:8417/simple/"),
    ("nixgen serve --upstream https://index.example.org/simple", "and what another index has"),
    ("nixgen serve --socket /run/nixgen.sock --budget 20GB a/nixgen.lock b/nixgen.lock", "for a proxy, of several"),
)

#: What comes after.
_USE = """\
What it is for:
  pip install --index-url http://127.0.0.1:8417/simple/ flask
  uv pip install --default-index http://127.0.0.1:8417/simple/ flask
"""

_PORT = 8417


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_places
    from nixgen.cli.sizes import bytes_of

    parser.epilog = f"{parser.epilog}\n\n{_USE}"
    parser.add_argument(
        "locks", nargs="*", metavar="LOCK", help="locks, or directories with one (default: that of the project)"
    )
    parser.add_argument(
        "--upstream", metavar="URL", help="an index that is asked for what the locks lack (default: none)"
    )
    parser.add_argument(
        "--port", type=int, default=_PORT, metavar="PORT", help=f"where to listen; 0 takes any (default: {_PORT})"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="at which address (default: 127.0.0.1, for this machine)"
    )
    parser.add_argument("--socket", metavar="PATH", help="a socket of the file system to listen at, in place of these")
    parser.add_argument(
        "--budget", type=bytes_of, default=10**9, metavar="SIZE", help="how much is kept whole (default: 1GB)"
    )
    add_places(parser)
    parser.add_argument("--json", action="store_true", help="print where it is as JSON, in one line")


def run(options: argparse.Namespace) -> int:
    """Serve until it is told to end; return the exit code.

    Raises:
        NixgenError: with what stands in the way.
    """
    import json
    from pathlib import Path

    from nixgen.cli.console import Console, count, size
    from nixgen.environments.fetch import access_of
    from nixgen.errors import UsageError
    from nixgen.names import LOCK_NAME
    from nixgen.serving.server import Address, serve
    from nixgen.settings import Settings
    from nixgen.wheelhouse.wanted import wheels_of

    console, base = Console(quiet=options.quiet), Path(options.directory)
    if not 0 <= options.port < 1 << 16:
        raise UsageError(f"{options.port} is no port", where="--port", todo="name one from 1 to 65535, or 0")
    if options.upstream is not None and not options.upstream.startswith(("http://", "https://")):
        raise UsageError("an index has a URL of http:// or https://", where="--upstream", todo="name its URL")
    locks = [Path(options.here, lock) for lock in options.locks]
    if not locks and (options.upstream is None or (base / LOCK_NAME).is_file()):
        locks = [base]
    wheels = [wheel for lock in locks for wheel in wheels_of(lock)[0]]
    caches = tuple(options.caches) or Settings.read(base / "pyproject.toml").caches
    logins = [*caches, *([options.upstream] if options.upstream else [])]

    def ready(where: str) -> None:
        beyond = f", and what {options.upstream} has" if options.upstream else ""
        console.say(
            f"serving {count(len({wheel.sha256 for wheel in wheels}), 'wheel')} of "
            f"{count(len(locks), 'lock')}{beyond}; up to {size(options.budget)} are kept whole"
        )
        kind = "index" if options.socket is None else "socket"
        print(json.dumps({kind: where}) if options.json else where, flush=True)

    serve(
        wheels,
        Address(
            host=options.host,
            port=options.port,
            path=Path(options.here, options.socket) if options.socket else None,
        ),
        upstream=options.upstream,
        budget=options.budget,
        access=lambda: access_of(base, options.mirror, logins),
        caches=caches,
        ready=ready,
    )
    return 0
