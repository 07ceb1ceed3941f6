"""One lock of one tool: what the tool would install beside what nixgen takes, for every target."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence

from packaging.utils import canonicalize_name, parse_wheel_filename

from conformance import ours
from conformance.files import Choices
from conformance.installs import EVERYTHING, Installed, SilentError, dry_run, installed, selections
from conformance.locks import Made
from conformance.result import Result, Side
from conformance.targets import Target
from conformance.tools import TOOLS, Workshop

#: How many differences are kept of one target.
_KEPT = 20


def compare(name: str, made: Made, targets: Sequence[Target], workshop: Workshop, choices: Choices) -> Result:
    """Compare what a tool would install of its lock with what nixgen takes.

    Args:
        name: of the set.
        made: how the tool locked it.
        targets: what is compared.
        workshop: runs programs.
        choices: knows pip's choice of files.
    """
    said = {
        "set": name,
        "tool": made.tool,
        "version": made.version,
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "lock_seconds": made.seconds,
    }
    if made.failure:
        return Result(**said, unlocked=made.failure)  # type: ignore[arg-type]
    try:
        theirs = installed(made, targets, workshop)
        here = dry_run(made, workshop)
    except SilentError as error:
        return Result(**said, silent=str(error))  # type: ignore[arg-type]
    own = next((target for target in targets if target.here), None)
    with_itself = [
        f"{chosen}: {line}"
        for chosen, pins in (here.items() if own is not None else ())
        for line in _differences(pins, theirs[own.key][chosen], "only its dry run", "only its library")  # type: ignore[union-attr]
    ]
    files: dict[str, Mapping[tuple[str, str], str | None]] = {}
    for python in _pythons(targets):
        group = [target for target in targets if target.python == python]
        found = choices.of([pin for target in group for pin in _pins(theirs[target.key])], group)
        files |= {key: {pin: chosen[pin] for pin in _pins(theirs[key])} for key, chosen in found.items()}
    sides, took = _sides(made, targets, theirs, files, workshop)
    return Result(
        **said,  # type: ignore[arg-type]
        packages=len({pin for one in theirs.values() for pin in one[EVERYTHING]}),
        dry_run=own is not None and bool(here),
        with_itself=with_itself,
        sides=sides,
        seconds=took,
    )


def _sides(
    made: Made,
    targets: Sequence[Target],
    theirs: Mapping[str, Installed],
    files: Mapping[str, Mapping[tuple[str, str], str | None]],
    workshop: Workshop,
) -> tuple[list[Side], float]:
    """Return what was compared for each target, and how long nixgen took for all of them."""
    lacking = {key: sorted(pin for pin, file in chosen.items() if file is None) for key, chosen in files.items()}
    whole = [target for target in targets if not lacking[target.key]]
    found: dict[str, Side] = {}
    took = 0.0
    if len(whole) < len(targets):
        # One package without a wheel refuses its target: what is refused is compared with what pip has no wheel of.
        taken = ours.take(made, _pythons(targets), _systems(targets), workshop)
        for target in targets:
            if target not in whole:
                wanted, refused = frozenset(lacking[target.key]), taken.refused.get(target.key, frozenset())
                lines = list(_differences(refused, wanted, "only nixgen has no wheel of", "only pip has no wheel of"))
                if not taken.refused:
                    lines = [taken.failure or "nixgen locks it, though pip has no wheel of " + _names(wanted)]
                found[target.key] = Side(
                    target=target.key, packages=len(files[target.key]), differences=lines, refused=_sorted(wanted)
                )
    for group in _products(whole):
        taken = ours.take(made, _pythons(group), _systems(group), workshop)
        took += taken.seconds
        for target in group:
            chosen_files = files[target.key]
            lines = [taken.failure] if taken.failure else []
            lines += [f"the lock has no hash of {file}" for file in taken.unlisted]
            alike: set[str] = set()
            added: set[str] = set()
            for chosen in selections(TOOLS[made.tool]) if not taken.failure else ():
                wanted_files = frozenset(
                    (name, version, _spelled(str(chosen_files[name, version])))
                    for name, version in theirs[target.key][chosen]
                )
                got_files = frozenset(
                    (name, version, _spelled(file)) for name, version, file in taken.packages[chosen, target.key]
                )
                equally = _equally_good(got_files, wanted_files)
                alike |= {f"{ours} and {other}" for (_, _, ours), (_, _, other) in equally}
                got_files -= {mine for mine, _ in equally}
                wanted_files -= {other for _, other in equally}
                if not TOOLS[made.tool].universal and not target.here:
                    # pip resolves what another system needs beside the pins, and so does uv for nixgen.
                    pinned = {name for name, _ in theirs[target.key][chosen]}
                    more = {one for one in got_files if one[0] not in pinned}
                    added |= {f"{name} {version}" for name, version, _ in more}
                    got_files -= more
                lines += [
                    f"{chosen}: {line}"
                    for line in _differences(got_files, wanted_files, "only nixgen", f"only {made.tool}")
                ]
            found[target.key] = Side(
                target=target.key,
                packages=len(chosen_files),
                differences=lines[:_KEPT],
                alike=sorted(alike),
                added=sorted(added),
            )
    return [found[target.key] for target in targets], round(took, 1)


def _equally_good(
    got: frozenset[tuple[str, str, str]], wanted: frozenset[tuple[str, str, str]]
) -> list[tuple[tuple[str, str, str], tuple[str, str, str]]]:
    """Return pairs of different files of one version of which one has the tags of the other, and more.

    They fit equally well, and no specification says which to take: there pip and uv differ.
    """
    return [
        (one, other)
        for one in got - wanted
        for other in wanted - got
        if one[:2] == other[:2] and other[2].endswith(".whl") and _share_tags(one[2], other[2])
    ]


def _share_tags(one: str, other: str) -> bool:
    first, second = parse_wheel_filename(one)[3], parse_wheel_filename(other)[3]
    return first <= second or second <= first


def _spelled(file: str) -> str:
    """Return the name of a wheel with that of its distribution normalized, as uv exports it (PEP 427)."""
    name, dash, rest = file.partition("-")
    return f"{canonicalize_name(name).replace('-', '_')}{dash}{rest}"


def _products(targets: Sequence[Target]) -> Iterator[list[Target]]:
    """Yield targets in groups that are some Pythons on some systems, as few as there are sets of systems."""
    by_systems: dict[tuple[str, ...], list[Target]] = {}
    for python in _pythons(targets):
        group = [target for target in targets if target.python == python]
        by_systems.setdefault(tuple(_systems(group)), []).extend(group)
    yield from by_systems.values()


def _pythons(targets: Iterable[Target]) -> list[str]:
    return list(dict.fromkeys(target.python for target in targets))


def _systems(targets: Iterable[Target]) -> list[str]:
    return list(dict.fromkeys(target.platform.system for target in targets))


def _pins(found: Installed) -> frozenset[tuple[str, str]]:
    return frozenset(pin for pins in found.values() for pin in pins)


def _differences(
    got: frozenset[tuple[str, ...]], wanted: frozenset[tuple[str, ...]], mine: str, theirs: str
) -> Iterator[str]:
    for words, found in ((mine, got - wanted), (theirs, wanted - got)):
        for one in sorted(found):
            yield f"{words}: {' '.join(one)}"


def _names(pins: Iterable[tuple[str, str]]) -> str:
    return ", ".join(_sorted(pins))


def _sorted(pins: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name} {version}".strip() for name, version in sorted(pins)]
