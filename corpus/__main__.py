"""Compare nixgen with pip, package by package, on the same wheels.

Without a NAME every package of the list runs that is not optional. Results are kept as JSON; --resume goes on where a
run stopped. The exit code is 1 where something works under pip and not under nixgen.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from corpus import result
from corpus.entries import Entry, ListError, choose, read
from corpus.environments import Store, Workshop
from corpus.processes import Processes
from corpus.report import page
from corpus.result import Result
from corpus.room import Room, machine_memory
from corpus.runner import Runner, run_all

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run packages and print the table; see ``python -m corpus --help``."""
    parser = argparse.ArgumentParser(
        prog="python -m corpus", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cache = ROOT / ".cache" / "corpus"
    parser.add_argument("names", nargs="*", metavar="NAME", help="a package of the list; all by default")
    parser.add_argument(
        "--list",
        type=Path,
        metavar="FILE",
        help="the list: .toml, or a requirement a line (default: corpus/packages.toml, or sources.toml --from-source)",
    )
    parser.add_argument("--nasty", action="store_true", help="only what the list calls nasty")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="packages at once (default: 2)")
    parser.add_argument(
        "--memory",
        type=float,
        default=round(machine_memory() / 2, 1),
        metavar="GIB",
        help="what they may need together (default: half of the machine's)",
    )
    parser.add_argument(
        "--mounted", action="store_true", help="nixgen's environments without links: nixgen venv --mounted, as root"
    )
    parser.add_argument(
        "--from-source", action="store_true", help="nixgen's environments have what it has built of the sources"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where results are kept (default: .cache/corpus/results, mounted or from-source)",
    )
    parser.add_argument("--resume", action="store_true", help="leave alone what has a result")
    parser.add_argument("--report", action="store_true", help="run nothing: the table of what has a result")
    parser.add_argument("--python", metavar="PYTHON", help="interpreter of both environments (default: nixgen's)")
    parser.add_argument(
        "--find-links", type=Path, action="append", default=[], metavar="DIR", help="wheels that no index has"
    )
    parser.add_argument("--scratch", type=Path, default=cache, metavar="DIR", help="where environments are made")
    parser.add_argument("--remove-store", action="store_true", help="remove the store in the end")
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="write the page there too; what it says of packages that were not run stays",
    )
    options = parser.parse_args(arguments)
    if options.mounted and options.from_source:
        parser.error("--mounted and --from-source are two comparisons")
    kind = "mounted" if options.mounted else "from-source" if options.from_source else "results"
    options.out = options.out or cache / kind
    options.list = options.list or Path(__file__).parent / ("sources.toml" if options.from_source else "packages.toml")
    try:
        listed = read(options.list)
        entries = choose(listed, options.names, nasty=options.nasty)
    except (ListError, OSError) as error:
        parser.error(str(error))
    if options.report:
        kept = (result.read(options.out, entry.name) for entry in listed)
        results = [one for one in kept if one is not None]
    else:
        try:
            results = _run(entries, options)
        except KeyboardInterrupt:
            print("corpus: interrupted; --resume goes on", file=sys.stderr)
            return 130
    before = options.write.read_text(encoding="utf-8") if options.write and options.write.exists() else ""
    names = [entry.name for entry in listed]
    text = page(results, listed=names, mounted=options.mounted, from_source=options.from_source, before=before)
    print(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    return 1 if any(one.defect or one.defects for one in results) else 0


def _run(entries: Sequence[Entry], options: argparse.Namespace) -> list[Result]:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what an interrupt cleans up, a termination does too
    store = Store(options.scratch / "nix")
    workshop = Workshop(
        processes=Processes(),
        store=store,
        find_links=tuple(path.resolve() for path in options.find_links),
        python=options.python,
    )
    runner = Runner(
        workshop=workshop,
        work=options.scratch / "work",
        out=options.out,
        mounted=options.mounted,
        from_source=options.from_source,
    )
    room = Room(options.jobs, options.memory)
    try:
        return run_all(runner, entries, room, jobs=options.jobs, resume=options.resume)
    finally:
        if options.remove_store:
            store.remove()


if __name__ == "__main__":
    sys.exit(main())
