"""Trials as a Markdown page: totals, findings, a row for each kind, and what only nixgen refuses."""

from __future__ import annotations

import platform
from collections import Counter, defaultdict
from collections.abc import Sequence
from importlib.metadata import version

from campaign.kinds import KINDS
from campaign.trial import Trial

_INTRODUCTION = """\
# Hostile wheels: the campaign

Made by `script/campaign --write docs/campaign.md`; not edited by hand. Each wheel is an honest one with one to three
mutations that its seed chooses. `nixgen lock` reads it through a pylock.toml with its path and hash; where it locks,
`nixgen build` and stock `nix-build` build it, each with an empty store at the same path. pip and uv install the same
file, with no index and nothing beside it. A finding is what must not be: a traceback, an unexpected error, a wheel that
locks and does not build, two builds of different store paths, a wheel that pip and uv both refuse and nixgen locks,
anything written outside the project and the store, a trial of more than a minute.
`script/campaign --seed SEED --wheels 1` makes a wheel again.
"""

#: The kinds of a wheel that has no mutation.
HONEST = "(none)"

#: How many seeds a row names.
_NAMED = 3


def page(trials: Sequence[Trial], *, date: str, seed: int, seconds: float) -> str:
    """Return the page.

    Args:
        trials: what was tried, in order.
        date: of the run.
        seed: of its first wheel.
        seconds: how long it took.
    """
    locked = sum(trial.locked for trial in trials)
    both = sum(trial.pip and trial.uv for trial in trials)
    neither = sum(not trial.pip and not trial.uv for trial in trials)
    findings = sum(bool(trial.findings) for trial in trials)
    lines = [
        _INTRODUCTION,
        f"{date}, seed {seed}, {len(trials)} wheels in {seconds / 60:.0f} minutes; pip {version('pip')}, "
        f"uv {version('uv')}, Python {platform.python_version()}.",
        "",
        f"nixgen locks {locked} and refuses {len(trials) - locked}. pip and uv both install {both}, "
        f"both refuse {neither}. Wheels with findings: {findings}.",
        "",
        *_findings(trials),
        *_kinds(trials),
        *_refused(trials),
    ]
    return "\n".join(lines)


def finding_lines(trial: Trial) -> list[str]:
    """Return the findings of a trial, each with what reproduces it."""
    kinds = ", ".join(trial.kinds) or HONEST
    return [f"seed {trial.seed} ({kinds}): {finding}" for finding in trial.findings]


def _findings(trials: Sequence[Trial]) -> list[str]:
    found = [line for trial in trials for line in finding_lines(trial)]
    return ["## Findings", "", *(f"* {line}" for line in found or ["none"]), ""]


def _kinds(trials: Sequence[Trial]) -> list[str]:
    by_kind: defaultdict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        for kind in trial.kinds or (HONEST,):
            by_kind[kind].append(trial)
    lines = [
        "## By kind",
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
    lines = ["## What pip and uv install and nixgen refuses", "", f"{count.total()} wheels."]
    if rows:
        lines += ["", "| kinds | nixgen's reason | wheels | seeds |", "|---|---|---|---|"]
    for (kinds, reason), seeds in sorted(rows.items()):
        named = ", ".join(map(str, seeds[:_NAMED])) + (", …" if len(seeds) > _NAMED else "")
        lines.append(f"| {kinds} | {reason.replace('|', chr(92) + '|')} | {len(seeds)} | {named} |")
    return [*lines, ""]
