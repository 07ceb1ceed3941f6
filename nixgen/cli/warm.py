"""Put popular packages into the store before anyone asks, and keep them there by one root.

LIST is a requirements file, download statistics (JSON, {"rows": [{"project": …,
"download_count": …}]}; CSV with a header), a nixgen.lock, or a directory with such locks. Each
entry is resolved by itself, so that several versions of a package are there side by side; no
environment is made. What a lock needs of it then takes no download and no compiling; of locks, what
they have of npm neither. Again, what fell out of the lists is kept no more, and `nix-store --gc`
takes it. A run that was interrupted is gone on with. What has no wheel, or cannot be had, stops
nothing else: it is named at the end, and the exit code says so.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nixgen.environments.request import Request as Environment
    from nixgen.locking.targets import Wish
    from nixgen.warming.ledger import Totals
    from nixgen.warming.measuring import Measured
    from nixgen.warming.report import Report

EXAMPLES = (
    ("nixgen warm --top 1000 --budget 50GB -o /var/lib/nixgen/warm popular.json", "what most download"),
    ("nixgen warm --python 3.11 --python 3.12 requirements.txt fleet/", "requirements, and the locks of a fleet"),
    ("nixgen warm --dry-run popular.csv", "what that would fetch"),
    ("nixgen warm --measure app/nixgen.lock set.txt", "how far these are there"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_sources
    from nixgen.cli.lock import add_resolution
    from nixgen.cli.sizes import bytes_of

    parser.add_argument("lists", nargs="*", metavar="LIST", help="requirements, statistics, locks; the first first")
    parser.add_argument("--top", type=_number, metavar="N", help="the first N of each list: the most popular of counts")
    parser.add_argument(
        "--budget",
        type=bytes_of,
        metavar="SIZE",
        help="keep no more than that (50GB): of files each content once, and trees; what comes first goes first",
    )
    parser.add_argument(
        "-o",
        "--out-link",
        default="warm",
        metavar="PATH",
        help="the root, a link that keeps it all (default: warm); another list has another one",
    )
    parser.add_argument("--dry-run", action="store_true", help="put nothing into the store; say what would come")
    parser.add_argument(
        "--measure",
        nargs="+",
        default=[],
        metavar="LOCK",
        help="say how far the store has what these locks or requirements need, by files and bytes; after LISTs, if any",
    )
    parser.add_argument("--json", action="store_true", help="print JSON (docs/warm.md says what it holds)")
    parser.add_argument("-j", "--jobs", type=_number, default=4, metavar="N", help="resolve N at once (default: 4)")
    targets = parser.add_argument_group("targets (default: this machine; a lock has its own)")
    targets.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PYTHON",
        help="a version (3.11, 3.12.4, 3.13t), or the path of the interpreter to build with; repeatable",
    )
    targets.add_argument(
        "--standalone", action="store_true", help="build with Pythons that are fetched, as `nixgen lock --standalone`"
    )
    targets.add_argument(
        "--system",
        action="append",
        default=[],
        metavar="SYSTEM",
        help="a Nix system; repeatable. Of another than the machine's there are files and no trees",
    )
    targets.add_argument("--glibc", metavar="VERSION", help="newest glibc that wheels for Linux may ask for")
    targets.add_argument("--musl", metavar="VERSION", help="Linux with musl; the newest that wheels may ask for")
    targets.add_argument("--macos", metavar="VERSION", help="newest macOS that wheels for macOS may ask for")
    add_resolution(parser, upgrade=False, builds=False)
    add_sources(parser.add_argument_group("where wheels come from"))


def run(options: argparse.Namespace) -> int:
    """Warm, measure, and report; return the exit code.

    Raises:
        NixgenError: with what stands in the way of all of it; the root stays as it was.
    """
    import json
    from pathlib import Path

    from nixgen.cli.console import Console, without_secrets
    from nixgen.cli.lock import resolver_options
    from nixgen.errors import UsageError
    from nixgen.warming.lists import read_lists
    from nixgen.warming.warm import Request, warm

    if not options.lists and not options.measure:
        raise UsageError("there is nothing to warm", where="LIST", todo="name a list, or locks to --measure")
    console, here = Console(quiet=options.quiet), Path(options.here)
    environment, targets, resolver = _environment(options), _targets(options), resolver_options(options)
    said: dict[str, Any] = {}
    code = 0
    if options.lists:
        entries = read_lists((here / path for path in options.lists), options.top)
        report = warm(
            Request(
                entries=entries,
                link=here / options.out_link,
                targets=targets,
                budget=options.budget,
                resolver=resolver,
                environment=environment,
                jobs=options.jobs,
            ),
            console,
            dry_run=options.dry_run,
        )
        code = report.exit_code
        said |= _json(report)
        if options.quiet and not options.json:
            print(report.root)
        elif not options.json:
            _print(report)
    if options.measure:
        # Imported here: a list needs nothing of it.
        from nixgen.warming.measuring import Measured, Unmeasured, measure

        named = [str(here / path) for path in options.measure]
        answers = [*measure(named, environment, targets=targets, resolver=resolver)]
        found = [one for one in answers if isinstance(one, Measured)]
        failed = [one for one in answers if isinstance(one, Unmeasured)]
        said["measured"] = [_measured_json(one) for one in found]
        said["unmeasured"] = [{"name": one.name, "error": without_secrets(str(one.error))} for one in failed]
        if not options.json:
            _print_measured(found)
        for one in failed:
            console.say(f"failed: {one.name}\n{_indented(str(one.error))}")
            code = max(code, one.error.exit_code)
    if options.json:
        print(json.dumps(said, indent=1))
    if options.lists:
        _complain(report, console.say)
    return code


def _environment(options: argparse.Namespace) -> Environment:
    from pathlib import Path

    from nixgen.environments.request import Request as Environment

    return Environment(
        base=Path(),
        settings=dict(options.option),
        mirrors=tuple(options.mirror),
        caches=tuple(options.caches),
        trusted_keys=tuple(options.trusted_key),
    )


def _targets(options: argparse.Namespace) -> Wish:
    from nixgen.locking.targets import Wish

    return Wish(
        pythons=tuple(options.python),
        systems=tuple(options.system),
        glibc=options.glibc,
        musl=options.musl,
        macos=options.macos,
        standalone=options.standalone or None,
    )


def _print(report: Report) -> None:
    from nixgen.cli.console import count, size, without_secrets

    totals = report.totals
    verb = "would keep" if not report.root else "keeps"
    print(f"{verb} {report.kept:,} of {count(report.entries, 'entry')}: {_of(totals)}")
    print(f"{count(totals.files, 'file')}, {size(totals.bytes)}; trees of these: {size(totals.tree_bytes)}")
    print(
        f"shared by versions of a package: {size(totals.shared_versions)}; by packages: {size(totals.shared_packages)}"
    )
    if report.npm:
        print(f"of npm: {count(len(report.npm), 'package')}, {size(sum(report.npm.values()))}")
    if report.lacking is not None:
        lacking = report.lacking
        print(f"to come: {count(lacking.files, 'file')} of {count(lacking.wheels, 'wheel')}, {size(lacking.size)}")
    print(f"new: {count(len(report.added), 'wheel')}; dropped: {count(len(report.dropped), 'wheel')}")
    if report.left_out:
        print(without_secrets(f"left out by the budget: {', '.join(entry.text for entry in report.left_out)}"))
    if report.root:
        print(report.root)


def _of(totals: Totals) -> str:
    from nixgen.cli.console import count

    return ", ".join(
        [
            count(totals.packages, "package"),
            count(totals.versions, "version"),
            count(totals.wheels, "wheel"),
            count(totals.trees, "tree"),
        ]
    )


def _print_measured(found: list[Measured]) -> None:
    from nixgen.cli.console import count, print_table, size

    print(f"fully there: {sum(one.full for one in found):,} of {len(found):,}")
    rows = [
        (
            f"  {one.name}",
            f"Python {one.python}" if one.python else "npm",
            "all" if one.full else f"{one.bytes_there / max(1, one.bytes):.1%} of {size(one.bytes)}",
            f"{one.files_there:,} of {count(one.files, 'file')}" if one.python else "",
            f"{one.trees_there:,} of {count(one.trees, 'tree' if one.python else 'package')}",
            f"{count(one.unseen, 'wheel')} to be compared once" if one.unseen and one.files_there == one.files else "",
        )
        for one in found
    ]
    print_table(rows, right=(2, 3, 4))


def _complain(report: Report, say: Any) -> None:
    """Name what could not be had, and why."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for failure in report.failures:
        by_reason.setdefault((failure.entry.text, str(failure.error)), []).append(failure.place)
    for (entry, error), places in by_reason.items():
        kept = ": what was there before is kept" if _was_carried(report, entry) else ""
        at = f" for {', '.join(places)}" if any(places) else ""
        say(f"failed: {entry}{at}{kept}")
        say(_indented(error))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _was_carried(report: Report, entry: str) -> bool:
    return any(failure.entry.text == entry and failure.entry.key in report.carried for failure in report.failures)


def _json(report: Report) -> dict[str, Any]:
    from dataclasses import asdict

    from nixgen.cli.console import without_secrets

    totals = asdict(report.totals)
    return {
        "root": report.root or None,
        "entries": report.entries,
        "kept": report.kept,
        "totals": {_camel(name): value for name, value in totals.items()},
        **({"npm": {"packages": len(report.npm), "bytes": sum(report.npm.values())}} if report.npm else {}),
        "downloaded": report.downloaded,
        "added": [{"name": one.name, "version": one.version, "wheel": one.wheel} for one in report.added],
        "dropped": [{"name": one.name, "version": one.version, "wheel": one.wheel} for one in report.dropped],
        "leftOut": [without_secrets(entry.text) for entry in report.left_out],
        "failed": [
            {
                "entry": without_secrets(failure.entry.text),
                "where": failure.entry.where,
                "target": failure.place or None,
                "exitCode": failure.error.exit_code,
                "error": without_secrets(str(failure.error)),
                "carried": failure.entry.key in report.carried,
            }
            for failure in report.failures
        ],
        **({"lacking": asdict(report.lacking)} if report.lacking is not None else {}),
    }


def _measured_json(one: Measured) -> dict[str, Any]:
    from dataclasses import asdict

    return {**{_camel(name): value for name, value in asdict(one).items()}, "full": one.full}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)
