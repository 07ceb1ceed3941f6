"""What was tried as a Markdown page: findings, and a table for each part with a row for each kind of case."""

from __future__ import annotations

import platform
from collections import Counter, defaultdict
from collections.abc import Sequence
from importlib.metadata import version

from campaign.case import Case, Tried
from campaign.kinds import KINDS
from campaign.trial import Trial

_INTRODUCTION = """\
# The campaign

Made by `script/campaign --write docs/campaign.md`; not edited by hand. Wheels that lie, servers that lie, SIGKILL, full
disks, ten builds at once beside a garbage collector, and a hostile user: each case follows from a number, its seed, and
all of it ends in an hour. A finding is what must not be; `script/campaign --parts PART --seed SEED --cases 1` makes a
case again, `script/campaign --seed SEED --wheels 1` a wheel.
"""

_WHEELS = """\
## Hostile wheels

Each wheel is an honest one with one to three mutations that its seed chooses. `nixgen lock` reads it through a
pylock.toml with its path and hash; where it locks, `nixgen build` and stock `nix-build` build it, each with an empty
store at the same path. pip and uv install the same file, with no index and nothing beside it. A finding is a traceback,
an unexpected error, a wheel that locks and does not build, two builds of different store paths, a wheel that pip and uv
both refuse and nixgen locks, anything written outside the project and the store, more than a minute without pip and uv.
"""

#: The kinds of a wheel that has no mutation.
HONEST = "(none)"

#: How many seeds a row names.
_NAMED = 3


def page(
    trials: Sequence[Trial],
    tried: Sequence[Tried] = (),
    *,
    date: str,
    seed: int,
    seconds: float,
    workers: int = 2,
    share: float | None = None,
    mended: Sequence[str] = (),
) -> str:
    """Return the page.

    Args:
        trials: the wheels, in order.
        tried: the other parts.
        date: of the run.
        seed: of its first wheel, and of the first case of each part.
        seconds: how long the wheels took.
        workers: how many wheels were tried at once.
        share: seconds that a run of an hour has for the wheels; None says nothing of that.
        mended: what earlier runs found.
    """
    lines = [
        _INTRODUCTION,
        f"{date}, seed {seed}, on {platform.system()}; pip {version('pip')}, uv {version('uv')}, "
        f"Python {platform.python_version()}.",
        "",
        *_overview(trials, tried, seconds),
        *_findings(trials, tried),
    ]
    if mended:
        lines += ["Found by earlier runs, mended since, and tried first in each run:", ""]
        lines += [*(f"* {found}" for found in mended), ""]
    if trials:
        lines += [_WHEELS, *_totals(trials, seconds, workers, share), *_kinds(trials), *_refused(trials)]
    for part in tried:
        lines += _part(part)
    return "\n".join(lines)


def _overview(trials: Sequence[Trial], tried: Sequence[Tried], seconds: float) -> list[str]:
    lines = ["| part | cases | minutes | cases with findings |", "|---|---|---|---|"]
    if trials:
        found = sum(bool(trial.findings) for trial in trials)
        lines.append(f"| wheels | {len(trials)} | {seconds / 60:.1f} | {found} |")
    for part in tried:
        found = sum(bool(case.findings) for case in part.cases)
        row = "skipped | | " if part.skipped else f"{len(part.cases)} | {part.seconds / 60:.1f} | {found}"
        lines.append(f"| {part.part.name} | {row} |")
    return [*lines, ""]


def _totals(trials: Sequence[Trial], seconds: float, workers: int, share: float | None) -> list[str]:
    locked = sum(trial.locked for trial in trials)
    both = sum(trial.pip and trial.uv for trial in trials)
    neither = sum(not trial.pip and not trial.uv for trial in trials)
    findings = sum(bool(trial.findings) for trial in trials)
    rate = len(trials) / max(seconds, 1e-9)
    measured = f"{len(trials)} wheels in {seconds / 60:.1f} minutes, {workers} at once: {rate * 60:.0f} a minute."
    if share is not None:
        measured += (
            f" At this rate the {share / 60:.0f} minutes that wheels have of a full hour hold {rate * share:.0f}."
        )
    return [
        measured,
        "",
        f"nixgen locks {locked} and refuses {len(trials) - locked}. pip and uv both install {both}, "
        f"both refuse {neither}. Wheels with findings: {findings}.",
        "",
    ]


def _part(tried: Tried) -> list[str]:
    """Return the section of a part: what is tried, and a row for each kind of case."""
    part = tried.part
    lines = [f"## {part.title}", "", part.text, ""]
    if tried.skipped:
        return [*lines, f"Skipped: {tried.skipped}.", ""]
    by_kind: defaultdict[str, list[Case]] = defaultdict(list)
    for case in tried.cases:
        for kind in case.kinds:
            by_kind[kind].append(case)
    lines += [
        f"{len(tried.cases)} cases in {tried.seconds / 60:.1f} minutes.",
        "",
        f"| what | tried | {' | '.join(part.outcomes)} | findings |",
        f"|{'---|' * (len(part.outcomes) + 3)}",
    ]
    for kind, cases in [*sorted(by_kind.items()), ("all", tried.cases)]:
        counts = [len(cases)]
        counts += [sum(case.outcome == outcome for case in cases) for outcome in part.outcomes]
        counts.append(sum(bool(case.findings) for case in cases))
        lines.append(f"| {kind} | {' | '.join(map(str, counts))} |")
    return [*lines, ""]


def finding_lines(trial: Trial) -> list[str]:
    """Return the findings of a trial, each with what reproduces it."""
    kinds = ", ".join(trial.kinds) or HONEST
    return [f"seed {trial.seed} ({kinds}): {finding}" for finding in trial.findings]


def _findings(trials: Sequence[Trial], tried: Sequence[Tried]) -> list[str]:
    found = [f"wheels, {line}" for trial in trials for line in finding_lines(trial)]
    found += [line for part in tried for line in part.findings()]
    return ["## Findings", "", *(f"* {line}" for line in found or ["none"]), ""]


def _kinds(trials: Sequence[Trial]) -> list[str]:
    by_kind: defaultdict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        for kind in trial.kinds or (HONEST,):
            by_kind[kind].append(trial)
    lines = [
        "### By kind",
        "",
        "A wheel of several kinds counts for each of them.",
        "",
        "| kind | tried | nixgen locks | nixgen refuses | pip installs "
        "| pip refuses | uv installs | uv refuses | findings |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind in [HONEST, *KINDS]:
        if tried := by_kind[kind]:
            counts = [len(tried)]
            for took in (
                [trial.locked for trial in tried],
                [trial.pip for trial in tried],
                [trial.uv for trial in tried],
            ):
                counts += [sum(took), len(took) - sum(took)]
            counts.append(sum(bool(trial.findings) for trial in tried))
            lines.append(f"| {kind} | {' | '.join(map(str, counts))} |")
    return [*lines, ""]


def _refused(trials: Sequence[Trial]) -> list[str]:
    """Return the table of what pip and uv install and nixgen refuses: no failure, but each has to have its reason."""
    rows: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    count: Counter[str] = Counter()
    for trial in trials:
        if trial.pip and trial.uv and not trial.locked:
            kinds = " + ".join(trial.kinds) or HONEST
            count[kinds] += 1
            for reason in trial.reasons or ("(no reason)",):
                rows[kinds, reason].append(trial.seed)
    lines = ["### What pip and uv install and nixgen refuses", "", f"{count.total()} wheels."]
    if rows:
        lines += ["", "| kinds | nixgen's reason | wheels | seeds |", "|---|---|---|---|"]
    for (kinds, reason), seeds in sorted(rows.items()):
        named = ", ".join(map(str, seeds[:_NAMED])) + (", …" if len(seeds) > _NAMED else "")
        lines.append(f"| {kinds} | {reason.replace('|', chr(92) + '|')} | {len(seeds)} | {named} |")
    return [*lines, ""]
